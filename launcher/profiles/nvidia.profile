# NVIDIA: Vitrine's own encoder element, then those of GStreamer, which renamed elements and properties from version to version.
[profile]
format=1
inherits=software-h264
title=NVIDIA GPU
vendor=nvidia
codec=H264;H265;AV1
capture=ximagesrc-cuda;ximagesrc-shm;ximagesrc
encoder=nvstreamenc-h264;nvh264enc;nvcudah264enc;nvcudah264enc-legacy;nvstreamenc-h265;nvh265enc;nvcudah265enc;nvcudah265enc-legacy;nvstreamenc-av1;nvav1enc

[capture ximagesrc-cuda]
display-name={display}
show-pointer=true
cuda-device-id={gpu}
@caps=video/x-raw(memory:CUDAMemory),format=NV12,framerate={framerate}/1
@scale=cudaconvertscale;cudascale

# The encoders take pictures in main memory too.
[capture ximagesrc-shm]
@caps=video/x-raw,format=NV12,framerate={framerate}/1

[convert videoconvert]
@caps=video/x-raw,format=NV12

[encoder nvstreamenc-h264]
@element=nvstreamenc
cuda-device-id={gpu}
bitrate={bitrate}
@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder nvstreamenc-h265]
@element=nvstreamenc
cuda-device-id={gpu}
bitrate={bitrate}
@caps=video/x-h265,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder nvstreamenc-av1]
@element=nvstreamenc
cuda-device-id={gpu}
bitrate={bitrate}
@caps=video/x-av1
@bitrate=bitrate*1

[encoder nvh264enc]
@gstreamer=>=1.26
preset=p4
tune=ultra-low-latency
rc-mode=cbr
zerolatency=true
gop-size=-1
aud=false
repeat-sequence-header=true
bitrate={bitrate}
@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder nvh265enc]
@gstreamer=>=1.26
preset=p4
tune=ultra-low-latency
rc-mode=cbr
zerolatency=true
gop-size=-1
aud=false
repeat-sequence-header=true
bitrate={bitrate}
@caps=video/x-h265,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder nvav1enc]
@gstreamer=>=1.26
preset=p4
tune=ultra-low-latency
rc-mode=cbr
zerolatency=true
gop-size=-1
bitrate={bitrate}
@caps=video/x-av1
@bitrate=bitrate*1

[encoder nvcudah264enc]
@gstreamer=>=1.24;<1.26
preset=p4
tune=ultra-low-latency
rate-control=cbr
zero-reorder-delay=true
gop-size=-1
aud=false
repeat-sequence-header=true
bitrate={bitrate}
@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder nvcudah265enc]
@gstreamer=>=1.24;<1.26
preset=p4
tune=ultra-low-latency
rate-control=cbr
zero-reorder-delay=true
gop-size=-1
aud=false
repeat-sequence-header=true
bitrate={bitrate}
@caps=video/x-h265,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

# Older presets, which drivers from 590 on refuse.
[encoder nvcudah264enc-legacy]
@element=nvcudah264enc
@gstreamer=<1.24
preset=low-latency-hq
rate-control=cbr
zero-reorder-delay=true
gop-size=-1
aud=false
repeat-sequence-header=true
bitrate={bitrate}
@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1

[encoder nvcudah265enc-legacy]
@element=nvcudah265enc
@gstreamer=<1.24
preset=low-latency-hq
rate-control=cbr
zero-reorder-delay=true
gop-size=-1
aud=false
repeat-sequence-header=true
bitrate={bitrate}
@caps=video/x-h265,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1
