#!/usr/bin/env python3
"""A real editor's client against `migc lsp`, through editors/vim."""
import os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, need

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = """param replicas: int = 4;
let health = "http://webapi/health";
stage staging <
  scale webapi to replicas;
    verify pods ready within 5m;
  verify http get health from inside is 200;
>
"""


def main():
    need("nvim")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "script.mig").write_text(SCRIPT)
        environment = dict(os.environ, HOME=folder, XDG_CACHE_HOME=folder + "/cache", XDG_CONFIG_HOME=folder + "/config",
                           XDG_DATA_HOME=folder + "/data", XDG_STATE_HOME=folder + "/state")
        done = subprocess.run(
            ["nvim", "--headless", "-i", "NONE", "-n", "--clean", "--cmd", f"let g:migc = '{MIGC}'",
             "--cmd", f"set runtimepath^={HERE.parent.parent}/editors/vim", "-c", "filetype plugin indent on | syntax on",
             "-c", f"luafile {HERE}/neovim.lua"],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    output = (done.stdout + done.stderr).replace("\r", "")
    print(output)
    return 0 if done.returncode == 0 and "ok: no findings are left" in output else 1


if __name__ == "__main__":
    sys.exit(main())
