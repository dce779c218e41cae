"""Fuzzes one target under atheris until its time is up: python tests/fuzz/run.py TARGET SECONDS FOLDER

FOLDER keeps what was found to reach new code, for the next run, and a file crash-… for what broke.
"""

import sys
from pathlib import Path


def main() -> None:
    import atheris  # an extra of its own: only who fuzzes needs it

    with atheris.instrument_imports(include=["spe_lab", "json", "fastjsonschema", "pycparser"]):
        import targets

    name, seconds, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) / sys.argv[1]
    folder.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(targets.TARGETS[name].seeds):
        (folder / f"seed-{i}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=20000",
        f"-artifact_prefix={folder.parent}/crash-{name}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], lambda data: targets.survives(name, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
