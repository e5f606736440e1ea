"""harness - process objects for the integration tests: start, wait until ready, ask, stop by pid.

process     one child process with a log and a ready condition      certs       certificates, the wrong ones too
wire        HTTP/1.1 requests byte by byte, answers as they came    dataset     two tenants' series, ours or ../shared's
prometheus  a real backend                                          recorder    what really reached the backend
weir        the gateway: configuration, requests, audit, metrics    checks      blind, silent, seen, log
"""
