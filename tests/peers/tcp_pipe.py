#!/usr/bin/env python3
"""tcp_pipe.py HOST PORT: standard input and output are the connection's; what ssh calls a ProxyCommand."""
import os
import socket
import sys
import threading

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def upward():
    while data := os.read(0, 65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


threading.Thread(target=upward, daemon=True).start()
while data := connection.recv(65536):
    while data:
        data = data[os.write(1, data):]
