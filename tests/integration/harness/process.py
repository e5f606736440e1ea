"""process.py - one child process: its log, its ready condition, its end by pid."""

import os
import signal
import socket
import subprocess
import time

POLL_SECONDS = 0.02
STOP_SECONDS = 10


def free_port():
    """A port nobody listens on now. Another may take it first: who starts a server tries again."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=30):
    """Returns what condition() returns as soon as that is true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for: {what}")
        time.sleep(POLL_SECONDS)


class ProcessDied(Exception):
    pass


class Process:
    """A child with its output in folder/name.log. Subclasses say how to tell that it is ready."""

    alive = []  # every running one: conftest shows their logs when a test fails

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.log_path = folder / f"{name}.log"
        self.child = None

    def spawn(self, command, env=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=self.folder, env=os.environ | (env or {}), start_new_session=True)
        Process.alive.append(self)

    def wait_ready(self, ready, seconds=30):
        """ready() is asked again and again; a process that ends meanwhile is a failure at once."""

        def condition():
            if not self.running():
                raise ProcessDied(f"{self.name} ended with {self.child.returncode} before it was ready:\n{self.log_tail()}")
            return ready()

        try:
            wait_until(condition, f"{self.name} to be ready", seconds)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.poll() is None

    def send(self, number):
        os.kill(self.child.pid, number)

    def stop(self):
        """TERM, ten seconds, KILL. Returns the exit status."""
        if self.running():
            self.send(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        return self.kill()

    def kill(self):
        if self.running():
            self.send(signal.SIGKILL)
        if self in Process.alive:
            Process.alive.remove(self)
        return self.child.wait() if self.child is not None else None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])
