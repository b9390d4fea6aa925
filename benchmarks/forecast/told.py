"""What is foretold of the project in the working directory, as JSON: of each stage behind `budget`, what it will
compute (seconds), and take of the clock and of memory (bytes).
"""

import json

from trivium.experiments import forecast
from trivium.params import load

if __name__ == "__main__":
    found = forecast.of(load(), set())
    print(json.dumps({part.stage: {"kind": part.kind, "computing": round(part.computing, 2),
                                   "seconds": round(part.seconds, 2), "bytes": part.memory}
                      for part in found.parts if part.clock is None}))
