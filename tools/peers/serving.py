"""How a peer talks with the benchmark: one line in, one JSON line out, so that it can be idle while the others run.

    on start          {"ready": {"versions": {...}, "threads": 2}}    or    {"absent": "why"} when a package is missing
    step 4            {"ms": [812.1, 809.7, 811.0, 810.4]}
    end of input      the process ends

`tools/bench/serve.ts` is the other implementation. What goes wrong ends the process with its trace on standard error.
"""

import json
import resource
import sys


def say(message):
    print(json.dumps(message), flush=True)


def serve(command, run, ready):
    """Answers requests until the input ends.

    command: the first word of a request
    run: function of a count and of the rest of the line; returns a list of milliseconds
    ready: what to say first
    """
    say({"ready": ready})
    for line in sys.stdin:
        words = line.rstrip("\n").split(" ", 2)
        if words[0] != command or len(words) < 2 or not words[1].isdigit():
            sys.exit(f"cannot answer {line!r}; expected: {command} COUNT ...")
        say({"ms": run(int(words[1]), *words[2:])})


def peak_rss_mb():
    """Largest resident size of this process so far, in 10^6 bytes."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
    except FileNotFoundError:
        pass
    # Kept for systems without /proc: on Linux this figure may be inherited from the parent.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
