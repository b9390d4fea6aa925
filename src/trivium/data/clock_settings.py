"""What can be wrong with the settings of a common clock: `data.streams.NAME.table` and `align`."""

from __future__ import annotations

from trivium.data.settings import Align, Data
from trivium.modalities import is_prose, names
from trivium.settings import parts

PLAIN = ("overlap", "nearest", "before", "after")


def wrong(data: Data, align: Align) -> list[str]:
    """A sentence each."""
    apart = [s for s, one in data.streams.items() if one.table]
    found = list[str]()
    if data.source == "manifest" and not apart and data.manifest.key:
        found.append("`data.manifest.key` says which recording a row is of, but no stream has a `table` of its own: "
                     "take it out, or name the table of a stream as data.streams.NAME.table.")
    if data.source not in ("manifest", "events") and apart:
        found.append(f"`data.streams.{apart[0]}.table`: `data.source: {data.source}` makes its tables itself: take it "
                     "out, or bring your own data (docs/clock.md).")
    if data.source == "events":
        apart = list(data.streams)
        found += [f"`data.events.shift.{s}`: there is no such stream; {parts.nearest(s, apart)}"
                  for s in data.events.shift if s not in apart]
        if align.window is None:
            found.append("`data.source: events` needs `align.window: [-0.5, 0.5]`: its samples are moments.")
    for key in ("every", "window"):
        if getattr(align, key) is not None and not apart:
            found.append(f"`align.{key}` needs streams with times: no stream of data.streams has a `table` of its own.")
    for key, entries in (("offset", align.offset), ("streams", align.streams)):
        found += [f"`align.{key}.{s}`: there is no such stream with a `table` of its own; {parts.nearest(s, apart)}"
                  if apart else f"`align.{key}.{s}`: no stream of data.streams has a `table` of its own."
                  for s in entries if s not in apart]
    for s, one in data.streams.items():
        if one.modality not in names():
            continue
        if one.table and one.table.box and one.modality != "image":
            found.append(f"`data.streams.{s}.table.box`: only pictures have regions, and {s} is {one.modality}.")
        joined = align.streams.get(s)
        if joined and joined.take == "all" and not is_prose(one.modality):
            found.append(f"`align.streams.{s}.take`: only texts can be put together, and {s} is {one.modality}: choose "
                         f"one of {', '.join(PLAIN)}.")
        if joined and joined.take in ("mean", "interpolate") and one.modality != "table":
            hint = (f"the encoder of {s} does that: `processor.rate` says how many points a second it sees" if
                    one.modality == "series" else f"choose one of {', '.join(PLAIN)}")
            found.append(f"`align.streams.{s}.take`: only the numbers of tables are averaged, and {s} is "
                         f"{one.modality}: {hint}.")
        if one.table and data.manifest.key == "" and one.table.key:
            found.append(f"`data.streams.{s}.table.key` says that there are several recordings: name the column of the "
                         "manifest that says which one each row is of, as `data.manifest.key`.")
    if apart and data.source == "manifest" and "key" in data.streams:
        found.append("`data.streams.key`: something else is called so already: choose another name, such as `my_key`.")
    return found
