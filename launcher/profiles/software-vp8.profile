# VP8 in software: for browsers without H.264, such as Firefox builds without its codec plugin.
[profile]
format=1
title=VP8 in software
codec=VP8
capture=ximagesrc-shm;ximagesrc
encoder=vp8enc

[capture ximagesrc-shm]
display-name={display}
show-pointer=true
@caps=video/x-raw,format=I420,framerate={framerate}/1

[capture ximagesrc]
display-name={display}
show-pointer=true
use-damage=false
@caps=video/x-raw,framerate={framerate}/1
@convert=videoconvert

[convert videoconvert]
n-threads=2

# cpu-used=-6: faster settings miss the bitrate by far on scrolling text, slower ones take too long.
[encoder vp8enc]
deadline=1
cpu-used=-6
static-threshold=100
end-usage=cbr
target-bitrate={bitrate}000
keyframe-max-dist=2147483647
error-resilient=default
lag-in-frames=0
buffer-size=500
buffer-initial-size=300
buffer-optimal-size=400
threads={threads}
@bitrate=target-bitrate*1000
