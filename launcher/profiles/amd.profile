# AMD: VA-API, by Mesa.
[profile]
format=1
inherits=software-h264
title=AMD GPU
vendor=amd
codec=H264;H265;AV1
encoder=vah264enc;vah265enc;vaav1enc

# The display is in main memory: 1.5 bytes a pixel go to the GPU instead of 4.
[capture ximagesrc-shm]
@caps=video/x-raw,format=NV12,framerate={framerate}/1

[convert videoconvert]
@caps=video/x-raw,format=NV12

# 1024 is the longest distance of keyframes that the element takes.
[encoder vah264enc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
b-frames=0
ref-frames=1
aud=false
target-usage=6
@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder vah265enc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
b-frames=0
ref-frames=1
aud=false
target-usage=6
@caps=video/x-h265,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder vaav1enc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
hierarchical-level=1
ref-frames=1
target-usage=6
@caps=video/x-av1
@bitrate=bitrate*1
@gstreamer=>=1.24
