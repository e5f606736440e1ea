"""target.py - something to scrape: at /metrics series of two tenants with exemplars, as OpenMetrics; elsewhere none."""

import http.server
import threading

TEXT = """# TYPE requests counter
requests_total{tenant_id="a",path="/pub"} 1 # {trace_id="pub"} 1
requests_total{tenant_id="b",path="/SECRET"} 7000000001 # {trace_id="SECRET"} 1
# EOF
"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.end_headers()
        self.wfile.write(TEXT.encode() if self.path == "/metrics" else b"# EOF\n")

    def log_message(self, *_):
        pass


class Target:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
