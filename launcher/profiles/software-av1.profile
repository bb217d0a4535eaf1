# AV1 in software: for strong processors.
[profile]
format=1
inherits=software-h264
title=AV1 in software
codec=AV1
encoder=svtav1enc;av1enc

# It cannot change its bitrate while it runs.
[encoder svtav1enc]
preset=12
target-bitrate={bitrate}
max-bitrate={bitrate}
intra-period-length=-1
parameters-string=pred-struct=1:rtc=1
@payload=av1parse
@caps=video/x-av1

# The libaom of Debian 12 ends the process on scrolling text.
[encoder av1enc]
@gstreamer=>=1.24
usage-profile=realtime
cpu-used=10
end-usage=cbr
target-bitrate={bitrate}
keyframe-max-dist=2147483647
lag-in-frames=0
buf-sz=500
buf-initial-sz=300
buf-optimal-sz=400
row-mt=true
tile-columns=2
threads={threads}
@payload=av1parse
@caps=video/x-av1

[payload av1parse]
@caps=video/x-av1,stream-format=obu-stream,alignment=tu
