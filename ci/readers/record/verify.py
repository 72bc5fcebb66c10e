"""Compares what readers find in the traces with what was told to the exporters.

  verify.py ask OUT     checks what Python itself can read; writes OUT/queries.json for query.mjs
  verify.py answer OUT  checks OUT/answers.json
"""

import collections
import json
import struct
import sys
from pathlib import Path

from perfetto_file import Reader, packets

ERRORS = "select name, severity, value from stats where value > 0 and severity != 'info'"
# Where values stand that are compared with what was fired.
ARGUMENTS = """select s.id, a.key, a.value_type, a.int_value, a.string_value, a.real_value
    from slice s join args a using (arg_set_id) where s.category in ('event', 'slice', 'request', 'lost', 'total')"""
SLICES = """select s.id, s.ts, s.dur, s.depth, s.name, s.category, coalesce(thread.name, track.name) as thread
    from slice s join track on track.id = s.track_id
    left join thread_track on thread_track.id = s.track_id left join thread using (utid)"""
FLOWS = 'select slice_out, slice_in from flow'
COUNTERS = """select track.name, thread.name as thread, max(value) as most, count(*) as count
    from counter join track on track.id = track_id
    left join thread_counter_track t on t.id = track.id left join thread using (utid) group by track.id"""


def real(bits):
    return struct.unpack('<d', struct.pack('<Q', int(bits)))[0]


def same(what, found, wanted):
    if found == wanted:
        return
    if isinstance(found, list) and isinstance(wanted, list):
        for index, (left, right) in enumerate(zip(found, wanted)):
            if left != right:
                sys.exit(f'{what}: number {index} is\n  {left}\nand should be\n  {right}')
        sys.exit(f'{what}: {len(found)} instead of {len(wanted)}')
    sys.exit(f'{what}: {found!r} instead of {wanted!r}')


def none(what, found):
    if found:
        sys.exit(f'{what}: {list(found)[:10]}')


class Expected:
    def __init__(self, out):
        self.__dict__.update(json.loads((out / 'expected.json').read_text()))
        self.lost_ends = any(total['lost'] for total in self.totals if total['event'] == 'shop::REQUEST_DONE')

    def thread_name(self, index, chrome):
        """As it is shown: a number that an earlier thread had is behind the name. 0 is no number."""
        thread = self.threads[index]
        name = thread['name'] or f'thread {index}'
        seen = [other['id'] for other in self.threads[:index]]
        return f"{name} {thread['id']}" if thread['id'] != 0 and thread['id'] in seen else name

    def arguments(self, record, value, task):
        found = {}
        for name, field in record['args'].items():
            found[name] = value(field)
            if field[0] in ('text', 'bytes') and field[2]:
                found[f'{name} (cut)'] = True
        if task and record['task'] is not None:
            found['tokio task'] = record['task']
        return found


def perfetto_value(field):
    kind, value = field[:2]
    if kind == 'bool':
        return value == 'true'
    if kind == 'int':
        return int(value) if -2**63 <= int(value) < 2**63 else value
    if kind == 'float':
        value = real(value)
        return value if abs(value) < float('inf') else {'inf': 'inf', '-inf': '-inf'}.get(str(value), 'NaN')
    return '0x' + value if kind == 'bytes' else value.replace('\0', '␀')


def chrome_value(field):
    kind, value = field[:2]
    if kind == 'int':
        return int(value) if abs(int(value)) <= 2**53 else value
    if kind == 'float':
        value = real(value)
        return value if abs(value) < float('inf') else {'inf': 'Infinity', '-inf': '-Infinity'}.get(str(value), 'NaN')
    return value if kind == 'text' else perfetto_value(field)


def by_time(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def check_chrome(out, expected):
    """Chrome's file, read by Python."""
    data = (out / 'trace.json').read_bytes()
    events = json.loads(data)
    # (Without the integers that a float cannot hold: this is what JavaScript has.)
    for number in json.loads(data, parse_int=lambda text: none('not exact', abs(int(text)) > 2**53 and [text])):
        del number
    names = {event['tid']: event['args']['name'] for event in events if event['name'] == 'thread_name'}
    same('names of threads', list(names.values()), [expected.thread_name(i, True) for i in range(len(expected.threads))])
    tids = list(names)
    found = [[round(e['ts'] * 1000), tids.index(e['tid']), e['name'], e['args']] for e in events if e.get('cat') == 'event']
    wanted = [[r['time'], r['thread'], r['event'], expected.arguments(r, chrome_value, True)] for r in expected.records]
    same('records in JSON', by_time(found), by_time(wanted))
    same('ends of slices', sum(e['ph'] == 'e' for e in events), sum(e['ph'] == 'b' for e in events))
    clock = [e['args'] for e in events if e['name'] == 'clock']
    same('the wall clock', clock, [{'nanoseconds since 1970 at time 0': expected.wall}])
    found = [{**{k: e['args'][k] for k in ('fired', 'written', 'lost')}, 'event': e['name'],
              'thread': int(e['args']['thread'].split()[0])} for e in events if e.get('cat') == 'total']
    same('totals in JSON', found, expected.totals)
    found = [[round(e['ts'] * 1000), e['args']['event'], e['args']['lost']] for e in events if e.get('cat') == 'lost']
    same('losses in JSON', found, [[l['time'], l['event'], l['count']] for l in expected.lost])

    # Whatever is whole before a cut can be read when the array is closed.
    lines = data.split(b'\n')
    same('lines', len(lines), len(events) + 3)
    cuts = []
    for cut in range(0, len(data), max(1, len(data) // 200)):
        prefix = data[:cut].rpartition(b',\n')[0] or b'['
        count = sum(e.get('cat') == 'event' for e in json.loads(prefix + b']'))
        cuts.append((cut, count))
    for size, records in expected.flushes['chrome']:
        prefix = data[:size]
        same('records after a flush', sum(e.get('cat') == 'event' for e in json.loads(prefix + b']')), records)
    print(f'Python reads {len(events)} events of Chrome\'s, and {len(cuts)} prefixes')
    # A line that is whole but for its comma is there for Perfetto, so these are cut in the middle
    # of one.
    return [(cut, count) for cut, count in cuts[1:] if data[cut - 1:cut] not in b'\n},]'][::60]


def check_perfetto(out, expected):
    """Perfetto's file, packet by packet."""
    data = (out / 'trace.pftrace').read_bytes()
    reader, at = Reader(), {0: (0, 0, 0)}
    for end, packet in packets(data):
        reader.packet(packet)
        at[end] = (reader.records, reader.begins, reader.ends)
    same('the end of the last packet', max(at), len(data))
    same('records in packets', reader.records, len(expected.records))
    same('slices in packets', reader.begins, sum(s['ends'] != 'no begin' for s in expected.slices))
    same('ends in packets', reader.ends, reader.begins)
    for size, records in expected.flushes['perfetto']:
        same('records after a flush', at[size][0], records)
    ends = sorted(at)
    print(f'{len(ends) - 1} packets refer to nothing that is not before them')
    # At a packet's end, and in the middle of one.
    cuts = [ends[len(ends) // 5], expected.flushes['perfetto'][3][0], ends[len(ends) // 2] + 3, len(data) - 1]
    return [(cut, at[max(end for end in ends if end <= cut)]) for cut in cuts]


def ask(out):
    expected = Expected(out)
    perfetto, chrome = str(out / 'trace.pftrace'), str(out / 'trace.json')
    full = {'errors': ERRORS, 'slices': SLICES, 'arguments': ARGUMENTS, 'flows': FLOWS, 'counters': COUNTERS}
    part = {'errors': ERRORS, 'records': "select count(*) as count from slice where category = 'event'",
            'open': 'select count(*) as count from slice where dur = -1'}
    clock = {'clock': 'select ts, clock_name, clock_value from clock_snapshot',
             'process': 'select pid, name from process where pid != 0'}
    queries = [{'trace': perfetto, 'cut': None, 'sql': {**full, **clock}}, {'trace': chrome, 'cut': None, 'sql': full}]
    for cut, (records, begins, ends) in check_perfetto(out, expected):
        queries.append({'trace': perfetto, 'cut': cut, 'sql': part, 'wanted': [records, begins - ends]})
    for cut, records in check_chrome(out, expected):
        queries.append({'trace': chrome, 'cut': cut, 'sql': part, 'wanted': [records, None]})
    (out / 'queries.json').write_text(json.dumps(queries))


def typed(row):
    kind = row['value_type']
    if kind in ('int', 'uint'):
        return int(row['int_value'])
    if kind == 'bool':
        return row['int_value'] == '1'
    return float(row['real_value']) if kind == 'real' else row['string_value']


def check_answer(what, answer, expected, chrome):
    none(f'{what}: import errors', answer['errors'])
    none(f'{what}: slices in slices of others', [
        row for row in answer['slices'] if row['category'] in ('slice', 'request') and row['depth'] != '0'])
    none(f'{what}: open slices', [row for row in answer['slices'] if row['dur'] == '-1'])
    arguments = collections.defaultdict(dict)
    prefix = 'args.' if chrome else 'debug.'
    for row in answer['arguments']:
        if row['key'].startswith(prefix):
            arguments[row['id']][row['key'][len(prefix):]] = typed(row)
    kinds = collections.defaultdict(list)
    for row in answer['slices']:
        kinds[row['category']].append(row)

    def value(field):
        # Perfetto 52 does not undo the escapes in JSON text, unless there is a quote: that is left
        # out.
        value = (chrome_value if chrome else perfetto_value)(field)
        if chrome and isinstance(value, str):
            raw = json.dumps(value, ensure_ascii=False)[1:-1]
            if '\\' in raw and '\\"' not in raw:
                return None
        return value

    wanted, found = [], []
    for record in expected.records:
        row = [record['time'], record['event'], expected.thread_name(record['thread'], chrome)]
        wanted.append([*row, {k: v for k, v in expected.arguments(record, value, True).items() if v is not None}])
    keep = {(r[0], r[1], r[2]): set(r[3]) for r in wanted}
    for row in kinds['event']:
        key = (int(row['ts']), row['name'], row['thread'])
        found.append([*key, {k: v for k, v in arguments[row['id']].items() if k in keep.get(key, [])}])
        same(f'{what}: length of an instant', row['dur'], '0')
    same(f'{what}: records', by_time(found), by_time(wanted))

    found = []
    for row in kinds['request' if chrome else 'slice']:
        same(f'{what}: name of a slice', row['name'], 'request')
        values = arguments[row['id']]
        ends = 'no begin' if 'no begin' in values else 'no end' if 'no end' in values else 'both'
        if ends == 'both':
            same(f'{what}: the status of a request', values['status'], 200 + values['id'] % 4)
        found.append({'id': values['id'] if 'id' in values else values['at end.id'], 'ends': ends,
                      'begin': int(row['ts']), 'end': int(row['ts']) + int(row['dur'])})
    wanted = [dict(slice, begin=slice['end']) if slice['ends'] == 'no begin' else slice for slice in expected.slices]
    same(f'{what}: slices', by_time(found), by_time(wanted))

    ids = {row['id']: arguments[row['id']].get('id') for row in answer['slices']}
    times = {row['id']: int(row['ts']) for row in answer['slices']}
    leads = collections.Counter()
    for row in answer['flows']:
        same(f'{what}: a flow leads from one request to another', ids[row['slice_out']], ids[row['slice_in']])
        if times[row['slice_out']] > times[row['slice_in']]:
            sys.exit(f'{what}: a flow leads back')
        leads[ids[row['slice_in']]] += 1
    # From the begin (in Perfetto's, from the slice to it) to the query to the end.
    for slice in expected.slices:
        if slice['ends'] == 'both' and slice['end'] - slice['begin'] > 100:
            at_least = 2 if not chrome else 1
            if leads[slice['id']] < at_least:
                sys.exit(f"{what}: {leads[slice['id']]} flows for request {slice['id']}")

    sums = collections.Counter()
    for loss in expected.lost:
        sums[expected.thread_name(loss['thread'], chrome)] += loss['count']
    same(f'{what}: counters of lost records', sorted(int(float(row['most'])) for row in answer['counters']),
         sorted(sums.values()))
    wanted = [[loss['time'], f"lost {loss['count']}", expected.thread_name(loss['thread'], chrome), loss['event']]
              for loss in expected.lost]
    found = [[int(row['ts']), row['name'], row['thread'], arguments[row['id']]['event']] for row in kinds['lost']]
    same(f'{what}: losses', by_time(found), by_time(wanted))
    found = []
    for row in kinds['total']:
        values = arguments[row['id']]
        found.append({'event': row['name'], 'thread': int(values['thread'].split()[0]),
                      **{count: values[count] for count in ('fired', 'written', 'lost')}})
    same(f'{what}: totals', by_time(found), by_time(expected.totals))
    for total in found:
        same(f'{what}: fired = written + lost', total['fired'], total['written'] + total['lost'])
    print(f"{what}: {len(kinds['event'])} records, {len(wanted)} losses, {len(found)} totals, "
          f"{len(expected.slices)} slices, {len(answer['flows'])} flows as they should be")


def answer(out):
    expected = Expected(out)
    queries, answers = (json.loads((out / f'{name}.json').read_text()) for name in ('queries', 'answers'))
    check_answer("Perfetto's file", answers[0], expected, False)
    check_answer("Chrome's file", answers[1], expected, True)
    same('clocks', [[row['ts'], row['clock_name'], row['clock_value']] for row in answers[0]['clock']],
         [['0', 'BOOTTIME', '0'], ['0', 'REALTIME', expected.wall], ['0', None, '0']])
    same('process', answers[0]['process'], [{'pid': str(expected.pid), 'name': expected.process}])
    for query, answer in zip(queries[2:], answers[2:]):
        what = f"{Path(query['trace']).name} up to byte {query['cut']}"
        none(f'{what}: import errors', answer['errors'])
        records, open_slices = query['wanted']
        same(f'{what}: records', int(answer['records'][0]['count']), records)
        if open_slices is not None:
            same(f'{what}: open slices', int(answer['open'][0]['count']), open_slices)
        print(f'{what}: {records} records')


if __name__ == '__main__':
    {'ask': ask, 'answer': answer}[sys.argv[1]](Path(sys.argv[2]))
