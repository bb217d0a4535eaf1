# H.264 in software, for machines without a video encoder.
[profile]
format=1
title=H.264 in software
codec=H264
capture=ximagesrc-shm;ximagesrc
encoder=x264enc;openh264enc

[capture ximagesrc-shm]
display-name={display}
show-pointer=true
@caps=video/x-raw,format=I420,framerate={framerate}/1
@caps-444=video/x-raw,format=Y444,framerate={framerate}/1
@scale=videoscale

[capture ximagesrc]
display-name={display}
show-pointer=true
use-damage=false
@caps=video/x-raw,framerate={framerate}/1
@convert=videoconvert
@scale=videoscale

# The whole picture again and again, so conversion may use two threads.
[convert videoconvert]
n-threads=2

# While the link is too thin for the picture at its size; else it passes by.
[convert videoscale]
add-borders=false

# cabac beside ultrafast is 2–4 dB better for hardly more time; 250 ms of buffer are what a picture may take at most (@frame-size). What is at qp-min is as good as one can see: repeats of
# a still picture end there.
[encoder x264enc]
speed-preset=ultrafast
tune=zerolatency
cabac=true
pass=cbr
bitrate={bitrate}
vbv-buf-capacity=250
qp-min=16
key-int-max=2147483647
bframes=0
aud=false
byte-stream=true
sliced-threads=true
threads={threads}
insert-vui=true
@caps=video/x-h264,profile=main
@caps-444=video/x-h264,profile=high-4:4:4
@bitrate=bitrate*1
@frame-size=vbv-buf-capacity*ms

[encoder openh264enc]
usage-type=camera
complexity=low
rate-control=bitrate
background-detection=true
enable-frame-skip=false
gop-size=2147483647
bitrate={bitrate}000
multi-thread={threads}
@caps=video/x-h264,stream-format=byte-stream,alignment=au
@bitrate=bitrate*1000
