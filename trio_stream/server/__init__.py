"""What is added to Hypercorn, one file a layer; it knows ASGI and Hypercorn, and nothing of the product.

    install.py      puts the layers in place, once the Hypercorn version was recognised
    worker.py       the process: every reason to stop starts the same drain, and it ends well
    connection.py   the socket: sends that raise, end, and can be cancelled; one connection's fault stays its own
    admission.py    who may connect; visits.py is what is still served when nobody else may
    sendfile.py     spans of a file to a socket
    gathering.py    ... that are short: runs of a file into one buffer
    trimming.py     free memory, back to the system after a crowd
    tasks.py        the application's task: nothing waits for one that has ended
    h11.py          HTTP/1.1 framing around bodies that nobody copies
    h2.py           HTTP/2, what is received: one stream's trouble is its own, and resets are counted
    allowance.py    frames and chunks that carry nothing: how many there may be
    h2_sending.py   HTTP/2, what is sent: within the window, whole or reset
    h2_stream.py    HTTP/2, the bounded buffer of a stream
    protocol.py     HTTP/3, which is off
    http.py         ASGI HTTP messages whose body may be a `memoryview`, or spans of a file
    websocket.py    ASGI WebSocket messages: no compression of video, small messages only

Guarantee to the application, wherever the guards are in place: `send` raises `TimeoutError` when the client took
nothing for `Limits.send_timeout` seconds, another `OSError` when it is gone, and `OSError(EFAULT)` when the
memory behind a view went away, or the file behind a span; whichever it was, and also when a send was cancelled
half-way, the connection is cut and never carries another byte. On HTTP/2 it is the stream that is reset instead.
"""
