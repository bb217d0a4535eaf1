# For tests: encoders that fail when the file of orders says so, one after the other.
[profile]
format=1
title=Encoders that fail on demand
codec=H264
capture=ximagesrc-shm
encoder=testfailingenc-gpu;testfailingenc-a;testfailingenc-b

[capture ximagesrc-shm]
display-name={display}
show-pointer=true
@caps=video/x-raw,format=I420,framerate={framerate}/1

[encoder testfailingenc-gpu]
orders=@ORDERS@
@bitrate=bitrate*1

[encoder testfailingenc-a]
orders=@ORDERS@
@bitrate=bitrate*1

[encoder testfailingenc-b]
orders=@ORDERS@
@bitrate=bitrate*1
