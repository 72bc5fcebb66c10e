"""Compares what readers find in recordings of a real server with what was counted while they were made.

  real.py serve SERVER OUT  has SERVER (live_server) stream to OUT/served.pftrace, and asks it; OUT/served.json: what was asked
  real.py ask OUT           checks what Python and babeltrace2 read; writes OUT/real-queries.json for query.mjs. OUT has what the
                            example `record` wrote, and what it printed, as printed.txt
  real.py answer OUT        checks OUT/real-answers.json
"""

import collections
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from perfetto_file import Reader, packets
from verify import ERRORS, none, same

REPORT = 'GET /orders/report'
# What a request asks for, by its route: lookups and stores. (A report: four items, sixteen
# shelves.)
INSIDE = {'POST /orders': (1, 1), 'GET /orders/{id}': (1, 1), 'GET /orders': (0, 1), REPORT: (4, 16)}
STATUS = {route: '201' if route.startswith('POST') else '200' for route in INSIDE}
OPERATIONS = {'Put', 'Get', 'Scan', *(f'Sum {{ shelf: {shelf} }}' for shelf in range(16))}
ITEMS = {'tea', 'coffee', 'cocoa', 'mate'}

ARGUMENT = "extract_arg(arg_set_id, 'debug.{0}') as {0}".format
TIMES = """create table {0} as select ts, extract_arg(arg_set_id, 'debug.request') as request
    from slice where category = 'event' and name like '%::REQUEST_{1}'""".format
SQL = {
    'errors': ERRORS,
    # All records, by event; and what was lost.
    'records': "select name, count(*) as count from slice where category = 'event' group by name",
    'lost': "select (select count(*) from slice where category = 'lost') + (select count(*) from counter) as count",
    'totals': """select name, sum(extract_arg(arg_set_id, 'debug.fired')) as fired, sum(extract_arg(arg_set_id,
        'debug.written')) as written, sum(extract_arg(arg_set_id, 'debug.lost')) as lost
        from slice where category = 'total' group by name""",
    # All slices, and on which tracks.
    'slices': """select s.name, s.depth, track.name as track, count(*) as count, sum(dur = -1) as open, min(dur) as least,
        max(dur) as most, sum(dur) as sum from slice s join track on track.id = s.track_id where category = 'slice'
        group by s.name, s.depth, track.name""",
    'lasted': "select max(ts) - min(ts) as time from slice where category = 'event'",
    '1': f"""create table request as select id, ts, dur, {ARGUMENT('request')}, {ARGUMENT('route')}, {ARGUMENT('status')}
        from slice where category = 'slice' and name = 'request'""",
    '2': f"""create table part as select parent_id, name, ts, dur, {ARGUMENT('request')}, {ARGUMENT('item')},
        {ARGUMENT('operation')} from slice where category = 'slice' and name != 'request'""",
    '3': TIMES('begun', 'BEGIN'),
    '4': TIMES('ended', 'END'),
    # A slice is from the one event to the other.
    'right': """select count(*) as count, count(distinct request) as requests from request join begun using (request)
        join ended using (request) where request.ts = begun.ts and request.ts + request.dur = ended.ts""",
    'routes': 'select route, status, count(*) as count from request group by route, status',
    # What stands inside a request is its own, and within its time.
    'strays': """select count(*) as count from part left join request on request.id = parent_id where request.id is null
        or part.request != request.request or part.ts < request.ts or part.ts + part.dur > request.ts + request.dur""",
    'inside': """select route, part.name, count(*) as count from part join request on request.id = parent_id
        group by route, part.name""",
    'items': 'select distinct item from part where item is not null',
    'operations': 'select distinct operation from part where operation is not null',
    # Which requests are slow, and where their time goes.
    'medians': """with numbered as (select route, dur, row_number() over (partition by route order by dur) as number,
        count(*) over (partition by route) as count from request)
        select route, dur as median from numbered where number = (count + 1) / 2""",
    'slowest': 'select route, dur, request from request order by dur desc limit 1',
    'report': f"""select (select dur from request where route = '{REPORT}' order by dur desc limit 1) as dur,
        sum(dur) as inside, max(dur) as longest from part where name = 'store' and parent_id =
        (select id from request where route = '{REPORT}' order by dur desc limit 1)""",
}
PREFIX = {
    'errors': ERRORS,
    'records': "select count(*) as count from slice where category = 'event'",
    'open': 'select count(*) as count from slice where dur = -1',
}


class Printed:
    """The table, and the number of requests."""

    def __init__(self, text):
        rows = re.findall(r'^(\S+) +(\d+) +(\d+) +(\d+)$', text, re.MULTILINE)
        self.counts = {name: {'fired': int(f), 'written': int(w), 'lost': int(l)} for name, f, w, l in rows}
        self.sum = self.counts.pop('sum')
        for name, count in [*self.counts.items(), ('sum', self.sum)]:
            same(f'{name}: fired', count['fired'], count['written'] + count['lost'])
        same('sum', self.sum, {key: sum(count[key] for count in self.counts.values()) for key in self.sum})
        same('events', len(self.counts), 6)

    def of(self, event, key='written'):
        return next(count[key] for name, count in self.counts.items() if name.endswith(f'::{event}'))

    def written(self):
        return {name: count['written'] for name, count in self.counts.items()}


def serve(server, out):
    """A server that streams while it is asked, over four connections at a time."""
    process = subprocess.Popen([server, '--serve', '--record', out / 'served.pftrace'], stdout=subprocess.PIPE, text=True)
    try:
        # What prints nothing would be waited for.
        hung = threading.Timer(600, process.kill)
        hung.start()
        line = process.stdout.readline()
        hung.cancel()
        if not line:
            sys.exit('the server ends, or hangs, before it prints its address')
        address = re.search(r'http://(\S+)', line)[1]
        asked = collections.Counter()

        def client(number):
            connection = http.client.HTTPConnection(address, timeout=600)

            def ask(method, path, body=None):
                connection.request(method, path, body, {'Content-Type': 'application/json'})
                response = connection.getresponse()
                answer = response.read()
                if response.status not in (200, 201):
                    sys.exit(f'{method} {path}: status {response.status}')
                asked[number] += 1
                return json.loads(answer)

            for count in range(120):
                order = ask('POST', '/orders', json.dumps({'item': 'tea', 'quantity': count}))
                same('an order', ask('GET', f"/orders/{order['id']}")['total'], 450 * count)
                ask('GET', '/orders')
                if count % 20 == number:
                    ask('GET', '/orders/report')

        clients = [threading.Thread(target=client, args=[number]) for number in range(4)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=600)
    finally:
        process.kill()
    same('exit code of the server', process.returncode, 0)
    requests = 4 * (120 * 3 + 6)
    same('requests answered', sum(asked.values()), requests)
    (out / 'served.json').write_text(json.dumps({'requests': requests, 'printed': printed}))
    print(f'a live server has answered {requests} requests and streamed '
          f"{(out / 'served.pftrace').stat().st_size} bytes")


def ask_python(out, printed):
    """Chrome's file."""
    events = json.loads((out / 'trace.json').read_bytes())
    found = collections.Counter(event['name'] for event in events if event.get('cat') == 'event')
    same('records in JSON', dict(found), printed.written())
    totals = collections.defaultdict(collections.Counter)
    begun, sums, counts = {}, collections.Counter(), collections.Counter()
    for event in events:
        category = event.get('cat')
        if category == 'total':
            totals[event['name']].update({key: event['args'][key] for key in ('fired', 'written', 'lost')})
        elif category in ('request', 'lookup', 'store'):
            time = round(event['ts'] * 1000)
            if event['ph'] == 'b':
                begun[category, event['id']] = time
            elif event['ph'] == 'e':
                took = time - begun.pop((category, event['id']))
                if took < 0:
                    sys.exit(f'a {category} of {took} ns in JSON')
                sums[category] += took
                counts[category] += 1
    none('open slices in JSON', begun)
    same('totals in JSON', {name: dict(total) for name, total in totals.items()}, printed.counts)
    same('slices in JSON', dict(counts), {kind: printed.of(f'{kind.upper()}_END') for kind in ('request', 'lookup', 'store')})
    print(f'Python reads {sum(found.values())} records and {sum(counts.values())} slices of Chrome\'s')
    return dict(sums)


def ask_babeltrace(out, printed):
    run = subprocess.run(['babeltrace2', out / 'ctf'], capture_output=True, text=True, check=True)
    found = collections.Counter(re.findall(r'^\[.*?\) (?:\S+ )?(\S+::\S+): ', run.stdout, re.MULTILINE))
    totals = collections.defaultdict(collections.Counter)
    for line in run.stdout.splitlines():
        if 'hotprobe::total: ' in line:
            total = dict(re.findall(r'(\w+) = "?([^",]+?)"?[, ]', line))
            totals[total['event']].update({key: int(total[key]) for key in ('fired', 'written', 'lost')})
    same('totals in CTF', {name: dict(total) for name, total in totals.items()}, printed.counts)
    del found['hotprobe::total']
    same('events in CTF', dict(found), printed.written())
    same('warnings of babeltrace2', run.stderr, '')
    print(f'babeltrace2 reads {sum(found.values())} events')


def prefixes(out):
    """Of a streamed file: at ends of packets, and a little before and after."""
    served = json.loads((out / 'served.json').read_text())
    printed = Printed(served['printed'])
    same('requests recorded', printed.of('REQUEST_BEGIN', 'fired'), served['requests'])
    data = (out / 'served.pftrace').read_bytes()
    reader, at, first = Reader(), {0: (0, 0, 0)}, None
    for end, packet in packets(data):
        reader.packet(packet)
        at[end] = (reader.records, reader.begins, reader.ends)
        first = first or (reader.records and end)
    same('the end of the last packet', max(at), len(data))
    same('records in packets', reader.records, printed.sum['written'])
    same('begins in packets', reader.begins, sum(printed.of(f'{kind}_BEGIN') for kind in ('REQUEST', 'LOOKUP', 'STORE')))
    same('ends in packets', reader.ends, reader.begins)
    ends = sorted(end for end in at if end >= first)
    cuts = [ends[len(ends) * k // 21] + (0, 1, 7, -1, 2)[k % 5] for k in range(20)] + [len(data)]
    return [(cut, at[max(end for end in at if end <= cut)]) for cut in cuts]


def ask(out):
    printed = Printed((out / 'printed.txt').read_text())
    requests = re.search(r'^(\d+) requests asked, (\d+) requests in the trace', (out / 'printed.txt').read_text(), re.MULTILINE)
    asked, whole = map(int, requests.groups())
    same('requests', [printed.of('REQUEST_BEGIN'), printed.of('REQUEST_END'), whole], [asked] * 3)
    ask_babeltrace(out, printed)
    sums = ask_python(out, printed)
    queries = [{'trace': str(out / 'trace.pftrace'), 'cut': None, 'sql': SQL, 'sums': sums}]
    for cut, (records, begins, ends) in prefixes(out):
        queries.append({'trace': str(out / 'served.pftrace'), 'cut': cut, 'sql': PREFIX, 'wanted': [records, begins - ends]})
    (out / 'real-queries.json').write_text(json.dumps(queries))


def whole_numbers(row, *keys):
    return {key: int(row[key]) for key in keys}


def check(answer, printed, sums):
    none('import errors', answer['errors'])
    same('records', {row['name']: int(row['count']) for row in answer['records']}, printed.written())
    same('totals', {row['name']: whole_numbers(row, 'fired', 'written', 'lost') for row in answer['totals']}, printed.counts)
    if printed.sum['lost'] == 0:
        same('losses', answer['lost'], [{'count': '0'}])

    requests = printed.of('REQUEST_BEGIN')
    lasted = int(answer['lasted'][0]['time'])
    same('tracks and depths', [(row['name'], row['depth'], row['track']) for row in answer['slices']],
         [('lookup', '1', 'request'), ('request', '0', 'request'), ('store', '1', 'request')])
    for row in answer['slices']:
        what = f"slices '{row['name']}'"
        same(f'{what}: how many', int(row['count']), printed.of(f"{row['name'].upper()}_BEGIN"))
        same(f'{what}: open', row['open'], '0')
        same(f"{what}: together, as in Chrome's file", int(row['sum']), sums[row['name']])
        if not 0 <= int(row['least']) <= int(row['most']) <= lasted:
            sys.exit(f'{what}: from {row["least"]} to {row["most"]} ns, in {lasted} ns')
    same('requests whose slice is from the one event to the other', answer['right'],
         [{'count': str(requests), 'requests': str(requests)}])
    same('slices inside others than their request', answer['strays'], [{'count': '0'}])

    routes = {row['route']: int(row['count']) for row in answer['routes']}
    same('routes', {row['route']: row['status'] for row in answer['routes']}, STATUS)
    same('requests of all routes', sum(routes.values()), requests)
    inside = {(row['route'], row['name']): int(row['count']) for row in answer['inside']}
    same('what requests ask for', inside, {
        (route, kind): count * routes[route] for route, counts in INSIDE.items()
        for kind, count in zip(('lookup', 'store'), counts) if count})
    same('items', {row['item'] for row in answer['items']}, ITEMS)
    same('operations', {row['operation'] for row in answer['operations']}, OPERATIONS)

    # Which route is slow, and by how much, depends on the machine: printed. What makes it slow was
    # counted above.
    medians = {row['route']: int(row['median']) for row in answer['medians']}
    report = medians.pop(REPORT)
    found = answer['report'][0]
    # One after the other: together they take no longer than the report.
    if not 0 < int(found['inside']) <= int(found['dur']):
        sys.exit(f'the slowest report: {found}: what it asked the store for took longer than all of it')
    slowest = answer['slowest'][0]
    print(f"Perfetto: {printed.sum['written']} records, {requests} requests, {sum(inside.values())} slices inside them")
    print(f"  a report takes {report / 1000:.0f} µs, others up to {max(medians.values()) / 1000:.0f} (medians); of the slowest, "
          f"{100 * int(found['inside']) // int(found['dur'])} % is the store's; the slowest of all: {slowest['route']}, "
          f"{int(slowest['dur']) / 1000:.0f} µs, {slowest['request']}")


def answer(out):
    printed = Printed((out / 'printed.txt').read_text())
    queries, answers = (json.loads((out / f'real-{name}.json').read_text()) for name in ('queries', 'answers'))
    same('answers', len(answers), len(queries))
    check(answers[0], printed, queries[0]['sums'])
    for query, found in zip(queries[1:], answers[1:]):
        what = f"served.pftrace up to byte {query['cut']}"
        none(f'{what}: import errors', found['errors'])
        records, open_slices = query['wanted']
        same(f'{what}: records', int(found['records'][0]['count']), records)
        same(f'{what}: open slices', int(found['open'][0]['count']), open_slices)
    print(f'Perfetto opens {len(queries) - 1} prefixes of the streamed file, with all that was complete')


if __name__ == '__main__':
    paths = [Path(argument) for argument in sys.argv[2:]]
    {'serve': serve, 'ask': ask, 'answer': answer}[sys.argv[1]](*paths)
