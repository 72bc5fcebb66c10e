"""Reads Perfetto's file format, as far as it is needed: packets by their lengths, and fields by their numbers."""

import struct


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """Field number -> list of values: integers, or bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from('<Q', data, at)[0], at + 8
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            if len(value) < length:
                raise ValueError('a field is cut')
        else:
            raise ValueError(f'wire type {kind}')
        found.setdefault(number, []).append(value)
    return found


def packets(data):
    """(end, packet) of each packet that is whole."""
    at = 0
    while at < len(data):
        try:
            key, start = varint(data, at)
            length, start = varint(data, start)
        except IndexError:
            return
        if key != 1 << 3 | 2:
            raise ValueError(f'no packet at byte {at}')
        at = start + length
        if at > len(data):
            return
        yield at, fields(data[start:at])


class Reader:
    """Goes through a file; what a packet refers to has to be before it, so that each prefix stands by itself."""

    CATEGORIES, NAMES, ANNOTATIONS, LOCATIONS = 1, 2, 3, 4

    def __init__(self):
        self.tracks, self.interned = set(), {}
        self.default_track = None
        self.records = self.begins = self.ends = 0

    def annotation(self, data):
        annotation = fields(data)
        for iid in annotation.get(1, []):
            assert iid in self.interned[self.ANNOTATIONS], f'an argument has the unknown name {iid}'
        assert 1 in annotation or 10 in annotation, 'an argument has no name'
        for entry in annotation.get(11, []):
            self.annotation(entry)

    def packet(self, packet):
        if 12 in packet:
            assert not self.interned and packet[13] == [1], 'names are interned once, at the beginning'
            for kind, entries in fields(packet[12][0]).items():
                self.interned[kind] = {iid: name for iid, name in (
                    (f[1][0], f[2][0]) for f in map(fields, entries))}
        if 60 in packet:
            track = fields(packet[60][0])
            parent = track.get(5)
            assert parent is None or parent[0] in self.tracks, "a track's parent is unknown"
            self.tracks.add(track[1][0])
        if 59 in packet:
            self.default_track = fields(fields(packet[59][0])[11][0])[11][0]
        if 11 not in packet:
            return
        event = fields(packet[11][0])
        assert packet[10] == [1] and 8 in packet, 'an event without sequence or time'
        assert event.get(11, [self.default_track])[0] in self.tracks, 'an event is on an unknown track'
        for iid in event.get(10, []):
            assert iid in self.interned[self.NAMES], 'an event has an unknown name'
        for iid in event.get(34, []):
            assert iid in self.interned[self.LOCATIONS], 'an event has an unknown place'
        for annotation in event.get(4, []):
            self.annotation(annotation)
        categories = [self.interned[self.CATEGORIES][iid] for iid in event.get(3, [])]
        self.records += categories == [b'event']
        self.begins += event[9] == [1]
        self.ends += event[9] == [2]
