# H.265 in software: for small links and strong processors.
[profile]
format=1
inherits=software-h264
title=H.265 in software
codec=H265
encoder=x265enc

[encoder x265enc]
speed-preset=ultrafast
tune=zerolatency
bitrate={bitrate}
key-int-max=2147483647
option-string=repeat-headers=1:aud=0:info=0
@payload=h265parse
@caps=video/x-h265
@bitrate=bitrate*1

[payload h265parse]
config-interval=-1
@caps=video/x-h265,stream-format=byte-stream,alignment=au
