# VP8 in software: for browsers without H.264, such as Firefox builds without its codec plugin.
[profile]
format=1
inherits=software-h264
title=VP8 in software
codec=VP8
encoder=vp8enc

# cpu-used=-6: faster settings miss the bitrate by far on scrolling text, slower ones take too long.
# max-intra-bitrate: a keyframe takes no more than nine pictures' share of the path.
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
max-intra-bitrate=900
threads={threads}
@bitrate=target-bitrate*1000
