"""The oracle of zones.rs: what Python's zoneinfo says about wall times around every change of every clock, 2026 to 2036.

Reads zone names, one a line; writes tab-separated lines, times in seconds:
  resolve  zone  date  time  instant  sure|gap|fold      a wall time as a moment; a gap moves forward, a fold takes the first
  wall     zone  date  time  instant                     a moment as a wall time
  release  name                                          first: the release of the zone data
  count    zones  transitions                            at the end
"""

import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import tzdata

UTC = timezone.utc
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2037, 1, 1, tzinfo=UTC)


def offset(zone, at):
    return at.astimezone(zone).utcoffset()


def transitions(zone):
    """Every moment at which the clocks of a zone change, to the second."""
    at = START
    while at < END:
        after = at + timedelta(hours=12)
        if offset(zone, at) != offset(zone, after):
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
                if offset(zone, middle) == offset(zone, at):
                    low = middle
                else:
                    high = middle
            yield high
        at = after


def resolve(name, zone, wall):
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    kind = "sure" if first == second else ("fold" if first > second else "gap")
    instant = int((wall.replace(tzinfo=UTC) - first).timestamp())
    print("resolve", name, wall.date(), wall.strftime("%H:%M"), instant, kind, sep="\t")


def walled(name, zone, at):
    wall = at.astimezone(zone)
    print("wall", name, wall.date(), wall.strftime("%H:%M"), int(at.timestamp()), sep="\t")


def main():
    print("release", tzdata.IANA_VERSION, sep="\t")
    names = sys.stdin.read().split()
    count = 0
    for name in names:
        zone = ZoneInfo(name)
        for year in range(2026, 2037):
            for month in (1, 4, 7, 10):
                resolve(name, zone, datetime(year, month, 15, 9, 0))
        for at in transitions(zone):
            count += 1
            edges = sorted((at + offset(zone, at - timedelta(seconds=1)), at + offset(zone, at)))
            wall = (edges[0] - timedelta(minutes=90)).replace(tzinfo=None, second=0)
            while wall <= edges[1].replace(tzinfo=None) + timedelta(minutes=90):
                resolve(name, zone, wall)
                wall += timedelta(minutes=5)
            for days in (-7, 7):
                resolve(name, zone, (edges[0] + timedelta(days=days)).replace(tzinfo=None, second=0))
            for minutes in (-61, -60, -1, 0, 1, 60, 61):
                walled(name, zone, at + timedelta(minutes=minutes))
    print("count", len(names), count, sep="\t")


main()
