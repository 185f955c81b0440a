"""A server on this machine that speaks the chat protocol, and answers as it is told."""

import http.server
import json
import threading


def said(content):
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


class Server:
    """Answers with what is in ``replies``: a text, or a status, a text and headers."""

    def __init__(self, replies):
        self.replies, self.asked, self.headers, self.paths = list(replies), [], [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer.asked.append(json.loads(self.rfile.read(length)))
                outer.headers.append(dict(self.headers))
                outer.paths.append(self.path)
                reply = outer.replies.pop(0)
                if reply is None:
                    self.connection.close()
                    return
                status, text, headers = reply if isinstance(reply, tuple) else (200, reply, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


def serving(monkeypatch):
    """What starts servers; the pauses between tries are written down and not made."""
    servers = []

    def start(*replies):
        servers.append(Server(replies))
        return servers[-1]

    start.pauses = []
    monkeypatch.setattr("topicfactors.insight.endpoints.time.sleep", start.pauses.append)
    yield start
    for server in servers:
        server.server.shutdown()
        server.server.server_close()
