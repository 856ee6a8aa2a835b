"""A docker engine and registries that are private to one test, on loopback."""
import atexit, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import need, skip, wait_for

need("docker", "dockerd", "docker-registry", "busybox", "curl", "openssl")
if os.geteuid() != 0:
    skip("not root, so no docker engine of its own")
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ONE = "application/vnd.docker.distribution.manifest.v2+json"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Engine:
    """Sets the environment of this test so that docker, and migc, talk to it. Ended with the test."""

    def __init__(self, name):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix=f"migc-{name}-"))
        self.processes = []
        (self.work / "config").mkdir()
        os.environ.update(DOCKER_HOST=f"unix://{self.work}/docker.sock", DOCKER_CONFIG=str(self.work / "config"), DOCKER_BUILDKIT="0")
        atexit.register(self.end)

    def registry(self, name, more="", tls=""):
        address = f"127.0.0.1:{free_port()}"
        (self.work / f"{name}.yml").write_text(f"version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {self.work}/{name} }} }}\nhttp:\n  addr: {address}\n{tls}{more}")
        self.processes.append(subprocess.Popen(["docker-registry", "serve", self.work / f"{name}.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return address

    def start(self):
        work = self.work
        self.daemon = subprocess.Popen(["dockerd", "--host", os.environ["DOCKER_HOST"], "--data-root", work / "data", "--exec-root", work / "exec", "--pidfile", work / "pid",
                                        "--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"], stdout=subprocess.DEVNULL, stderr=open(work / "dockerd.log", "w"))
        self.processes.append(self.daemon)
        wait_for("the docker engine", self.is_up, 60)

    def is_up(self):
        if self.daemon.poll() is not None:
            skip("the docker engine does not start here: " + (self.work / "dockerd.log").read_text().strip().splitlines()[-1])
        return subprocess.run(["docker", "info"], capture_output=True).returncode == 0

    def end(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)
        subprocess.run(["umount", "-R", self.work / "data"], capture_output=True)
        shutil.rmtree(self.work, ignore_errors=True)
