"""Prints as JSON what TensorBoard itself reads from a folder of event files.

Usage: python tensorboard_events.py FOLDER
Needs: pip install tensorboard
"""

import hashlib
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def main(folder: str) -> None:
    # 0 keeps everything; the default keeps a sample.
    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    result = {
        "file_version": accumulator.file_version,
        "scalars": {
            tag: [[event.wall_time, event.step, event.value] for event in accumulator.Scalars(tag)]
            for tag in tags["scalars"]
        },
        "images": {
            tag: [
                [event.step, event.width, event.height, hashlib.sha256(event.encoded_image_string).hexdigest()]
                for event in accumulator.Images(tag)
            ]
            for tag in tags["images"]
        },
    }
    # NaN and infinities are no JSON.
    print(json.dumps(result, allow_nan=False, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
