"""The reference's input pipeline with Pillow in one process: the peer of `npm run bench -- pipeline`.

    python pil_pipeline.py run   --side 224 --count 32 --folder FOLDER
    python pil_pipeline.py serve --side 224          answers `images N FOLDER` on standard input (serving.py)

The N pictures are the folder's, by name, from the first on and around again. Each is read and decoded once and gives two
augmented views. The answer is one number: milliseconds of processor time per picture.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

from serving import peak_rss_mb, say, serve

try:
    import numpy
    import PIL
    from PIL import Image, features
except ImportError as error:
    say({"absent": str(error)})
    sys.exit(0)

from pil_transforms import two_views


def main():
    arguments = parse_arguments()
    draws = random.Random(1)

    def run(count, folder):
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix == ".jpg")
        if not paths:
            sys.exit(f"{folder}: no .jpg in here")
        start = time.process_time()
        for index in range(count):
            with Image.open(paths[index % len(paths)]) as file:
                two_views(file.convert("RGB"), arguments.side, draws)
        return [(time.process_time() - start) * 1000 / count]

    if arguments.mode == "serve":
        versions = {"python": sys.version.split()[0], "pillow": PIL.__version__, "numpy": numpy.__version__,
                    "libjpeg_turbo": str(features.version_feature("libjpeg_turbo"))}
        serve("images", run, {"versions": versions, "threads": 1})
        return
    times = run(arguments.count, arguments.folder)
    print(json.dumps({"ms_per_picture": times[0], "count": arguments.count, "peak_rss_mb": peak_rss_mb(),
                      "pillow": PIL.__version__}))


def parse_arguments():
    parser = argparse.ArgumentParser(description="Two augmented views of each picture with Pillow, timed.")
    parser.add_argument("mode", nargs="?", choices=["run", "serve"], default="run")
    parser.add_argument("--folder", help="of .jpg files; for run")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--count", type=int, default=32)
    arguments = parser.parse_args()
    if arguments.mode == "run" and arguments.folder is None:
        parser.error("run needs --folder")
    return arguments


if __name__ == "__main__":
    main()
