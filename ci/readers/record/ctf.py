"""Compares what babeltrace finds in the CTF folder with what was told to the exporter: `ctf.py OUT`."""

import collections
import json
import math
import struct
import sys
from pathlib import Path

import bt2

out = Path(sys.argv[1])
expected = json.loads((out / 'expected.json').read_text())


def same(what, found, wanted):
    if found != wanted:
        sys.exit(f'CTF: {what}: {found!r} instead of {wanted!r}')


def plain(value):
    if isinstance(value, bt2._ArrayFieldConst):
        return bytes(int(byte) for byte in value)
    if isinstance(value, bt2._EnumerationFieldConst):
        return 'true' in value.labels
    if isinstance(value, bt2._IntegerFieldConst):
        return int(value)
    if isinstance(value, bt2._RealFieldConst):
        return float(value)
    return str(value)


def identifier(name):
    return ''.join(c if c == '_' or c.isascii() and c.isalnum() else f'u{ord(c):x}_' for c in name)


def fits(found, field):
    kind, value = field[:2]
    if kind == 'bool':
        return found is (value == 'true')
    if kind == 'int':
        return found == int(value)
    if kind == 'float':
        wanted = struct.unpack('<d', struct.pack('<Q', int(value)))[0]
        return found == wanted or math.isnan(found) and math.isnan(wanted)
    if kind == 'bytes':
        return found == bytes.fromhex(value)
    # Text with a null in it is there as bytes, and so is empty text.
    return found == (value if value and '\0' not in value else value.encode())


records = collections.defaultdict(list)
for record in expected['records']:
    records[record['thread']].append(record)
discarded, lost, totals, count = collections.Counter(), [], [], 0
tids, names = {}, {}
for message in bt2.TraceCollectionMessageIterator(str(out / 'ctf')):
    if type(message) is bt2._DiscardedEventsMessageConst:
        span = (message.beginning_default_clock_snapshot.ns_from_origin, message.end_default_clock_snapshot.ns_from_origin)
        discarded[message.stream.name] += message.count
        last_discarded = (message.stream.name, message.count, span[1] - int(expected['wall']))
        lost.append(last_discarded)
        continue
    if type(message) is not bt2._EventMessageConst:
        continue
    event, time = message.event, message.default_clock_snapshot.ns_from_origin - int(expected['wall'])
    payload = {name: plain(value) for name, value in event.payload_field.items()}
    context = event.packet.context_field
    thread = int(context['thread'])
    tids[thread], names[thread] = int(context['tid']), str(context['thread_name'])
    if event.name == 'hotprobe::total':
        totals.append({'thread': thread, **payload})
        continue
    if event.name == 'hotprobe::lost':
        continue
    wanted = records[thread].pop(0)
    count += 1
    same('an event', event.name, wanted['event'])
    # (A clock that steps back stands still here.)
    if not wanted['time'] <= time <= wanted['time'] + 1000:
        sys.exit(f"CTF: {event.name} at {time} instead of {wanted['time']}")
    same('the task', int(event['tokio_task']), wanted['task'] or 0)
    for name, field in wanted['args'].items():
        found = payload.pop(identifier(name))
        if not fits(found, field):
            sys.exit(f'CTF: {event.name}: {name} is {found!r} instead of {field!r}')
        if field[0] in ('text', 'bytes') and field[2]:
            same('the mark of a cut value', payload.pop(f'{identifier(name)}_cut'), True)
    payload = {name: value for name, value in payload.items() if not name.rstrip('_').endswith('_length')}
    same('further fields', payload, {})
same('records', count, len(expected['records']))
same('discarded events', sum(discarded.values()), sum(loss['count'] for loss in expected['lost']))
same('losses, by time', sorted((count, end) for _, count, end in lost),
     sorted((loss['count'], loss['time']) for loss in expected['lost']))
same('totals', sorted(totals, key=str), sorted(({k: t[k] for k in ('thread', 'event', 'fired', 'written', 'lost')}
                                                for t in expected['totals']), key=str))
same('thread numbers', tids, {thread['index']: thread['id'] for thread in expected['threads']})
same('thread names', names, {thread['index']: thread['name'] or f"thread {thread['index']}" for thread in expected['threads']})
print(f'CTF: {count} records, {len(lost)} losses of {sum(discarded.values())} records, {len(totals)} totals as they should be')
