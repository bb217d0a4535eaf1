[profile]
format=1
title=A mistake
codec=VP8
capture=ximagesrc
encoder=vp8enc
encodr=x264enc

[capture ximagesrc]
use-damage=false
@caps=video/x-raw,framerate={framerate}/1

[encoder vp8enc]
cpu-used=-6
end-usage=cbr
error-resilient=default
target-bitrate={bitrate}000
@bitrate=target-bitrate*1000
