# Intel: VA-API first, its low-power engine before the others; then the vendor's own interface.
[profile]
format=1
inherits=software-h264
title=Intel GPU
vendor=intel
codec=H264;H265;VP9;AV1
encoder=vah264lpenc;vah264enc;qsvh264enc;vah265lpenc;vah265enc;qsvh265enc;vavp9lpenc;vavp9enc;qsvvp9enc;vaav1lpenc;vaav1enc;qsvav1enc

# The display is in main memory: 1.5 bytes a pixel go to the GPU instead of 4.
[capture ximagesrc-shm]
@caps=video/x-raw,format=NV12,framerate={framerate}/1

[convert videoconvert]
@caps=video/x-raw,format=NV12

# 1024 is the longest distance of keyframes that the element takes.
[encoder vah264lpenc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
b-frames=0
ref-frames=1
aud=false
target-usage=6
@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

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

[encoder vah265lpenc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
b-frames=0
ref-frames=1
aud=false
target-usage=6
@caps=video/x-h265,stream-format=byte-stream,alignment=au
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

[encoder vavp9lpenc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
hierarchical-level=1
ref-frames=1
target-usage=6
@caps=video/x-vp9
@bitrate=bitrate*1
@gstreamer=>=1.24

[encoder vavp9enc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
hierarchical-level=1
ref-frames=1
target-usage=6
@caps=video/x-vp9
@bitrate=bitrate*1
@gstreamer=>=1.24

[encoder vaav1lpenc]
rate-control=cbr
bitrate={bitrate}
key-int-max=1024
hierarchical-level=1
ref-frames=1
target-usage=6
@caps=video/x-av1
@bitrate=bitrate*1
@gstreamer=>=1.24

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

[encoder qsvh264enc]
low-latency=true
rate-control=cbr
bitrate={bitrate}
gop-size=0
b-frames=0
ref-frames=1
target-usage=7
@caps=video/x-h264,profile=main,stream-format=byte-stream
@bitrate=bitrate*1

[encoder qsvh265enc]
low-latency=true
rate-control=cbr
bitrate={bitrate}
gop-size=0
b-frames=0
ref-frames=1
target-usage=7
@caps=video/x-h265,stream-format=byte-stream
@bitrate=bitrate*1

[encoder qsvvp9enc]
low-latency=true
rate-control=cbr
bitrate={bitrate}
gop-size=0
ref-frames=1
target-usage=7
@caps=video/x-vp9
@bitrate=bitrate*1

[encoder qsvav1enc]
low-latency=true
rate-control=cbr
bitrate={bitrate}
gop-size=0
ref-frames=1
target-usage=7
@caps=video/x-av1
@bitrate=bitrate*1
