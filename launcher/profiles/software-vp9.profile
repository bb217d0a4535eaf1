# VP9 in software: sharper text than VP8 at the same bitrate, for more time.
[profile]
format=1
inherits=software-h264
title=VP9 in software, for screen content
codec=VP9
encoder=vp9enc

# What a screen needs of libvpx and GStreamer lets one set: still areas are skipped, and refreshed bit by bit. Tiles and rows
# share the work.
# max-intra-bitrate: a keyframe takes no more than nine pictures' share of the path.
[encoder vp9enc]
deadline=1
cpu-used=8
static-threshold=100
aq-mode=cyclic-refresh
row-mt=true
tile-columns=2
frame-parallel-decoding=false
auto-alt-ref=false
end-usage=cbr
target-bitrate={bitrate}000
keyframe-max-dist=2147483647
error-resilient=0
lag-in-frames=0
buffer-size=500
buffer-initial-size=300
buffer-optimal-size=400
max-intra-bitrate=900
threads={threads}
@caps-444=video/x-vp9,profile=(string)1
@bitrate=target-bitrate*1000
