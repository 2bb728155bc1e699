"""Reads one exposition in three formats with parsers that are not ours, and compares them.

The arguments are files: the page as text 0.0.4, OpenMetrics and protobuf, and the samples that each of them has to
contain, one JSON array of name, labels and value per line.
"""

import json
import math
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.decoder import _DecodeVarint32
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser


def metric_family():
    """The class of io.prometheus.client.MetricFamily, from a descriptor written here."""
    types = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="io.prometheus.client", syntax="proto2")
    for name, fields in {
        "LabelPair": [("name", 1, "string"), ("value", 2, "string")],
        "Gauge": [("value", 1, "double")],
        "Counter": [("value", 1, "double"), ("created_timestamp", 3, "Timestamp")],
        "Quantile": [("quantile", 1, "double"), ("value", 2, "double")],
        "Summary": [("sample_count", 1, "uint64"), ("sample_sum", 2, "double"), ("quantile", 3, "[Quantile]")],
        "Bucket": [("cumulative_count", 1, "uint64"), ("upper_bound", 2, "double")],
        "Histogram": [
            ("sample_count", 1, "uint64"),
            ("sample_sum", 2, "double"),
            ("bucket", 3, "[Bucket]"),
            ("created_timestamp", 15, "Timestamp"),
        ],
        "Timestamp": [("seconds", 1, "int64"), ("nanos", 2, "int32")],
        "Metric": [
            ("label", 1, "[LabelPair]"),
            ("gauge", 2, "Gauge"),
            ("counter", 3, "Counter"),
            ("summary", 4, "Summary"),
            ("timestamp_ms", 6, "int64"),
            ("histogram", 7, "Histogram"),
        ],
        "MetricFamily": [
            ("name", 1, "string"),
            ("help", 2, "string"),
            ("type", 3, "int32"),
            ("metric", 4, "[Metric]"),
            ("unit", 5, "string"),
        ],
    }.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            is_list = kind.startswith("[")
            kind = kind.strip("[]")
            label = types.LABEL_REPEATED if is_list else types.LABEL_OPTIONAL
            entry = message.field.add(name=field, number=number, label=label)
            scalar = getattr(types, f"TYPE_{kind.upper()}", None)
            if scalar is None:
                entry.type, entry.type_name = types.TYPE_MESSAGE, f".io.prometheus.client.{kind}"
            else:
                entry.type = scalar
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("io.prometheus.client.MetricFamily"))


def key(name, labels):
    """A series. Bounds are compared as numbers, since the formats spell them differently."""
    bounds = {"le", "quantile"}
    return name, tuple(sorted((label, float(v) if label in bounds else v) for label, v in labels.items()))


def of_text(families):
    samples, helps = {}, {}
    for family in families:
        name = family.name + "_total" if family.type == "counter" else family.name
        helps[name] = family.documentation
        for sample in family.samples:
            insert(samples, key(sample.name, sample.labels), sample.value)
    return samples, helps


def of_protobuf(page):
    samples, helps, created, position, family_class = {}, {}, {}, 0, metric_family()
    while position < len(page):
        length, position = _DecodeVarint32(page, position)
        family = family_class.FromString(page[position : position + length])
        position += length
        helps[family.name] = family.help
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            assert len(labels) == len(metric.label), f"{family.name}: a label twice"
            for value in metric.counter, metric.histogram:
                if value.HasField("created_timestamp"):
                    stem = family.name.removesuffix("_total")
                    since = value.created_timestamp
                    # OpenMetrics has them in milliseconds.
                    insert(created, key(stem + "_created", labels), since.seconds + since.nanos // 10**6 / 1000)
            add = lambda suffix, value, **more: insert(samples, key(family.name + suffix, labels | more), value)
            if family.type == 0:
                add("", metric.counter.value)
            elif family.type == 1:
                add("", metric.gauge.value)
            elif family.type == 2:
                for quantile in metric.summary.quantile:
                    add("", quantile.value, quantile=quantile.quantile)
                add("_sum", metric.summary.sample_sum)
                add("_count", metric.summary.sample_count)
            else:
                assert family.type == 4, family.type
                for bucket in metric.histogram.bucket:
                    add("_bucket", bucket.cumulative_count, le=bucket.upper_bound)
                add("_bucket", metric.histogram.sample_count, le=math.inf)
                add("_sum", metric.histogram.sample_sum)
                add("_count", metric.histogram.sample_count)
    return samples, helps, created


def insert(samples, series, value):
    assert series not in samples, f"twice: {series}"
    samples[series] = value


def is_equal(one, other):
    return float(one) == float(other) or math.isnan(one) and math.isnan(other)


def compare(what, expected, found, is_equal):
    for series in expected:
        assert series in found, f"{what}: missing {series}"
        assert is_equal(expected[series], found[series]), f"{what}: {series}: {expected[series]!r}, {found[series]!r}"


def main():
    text, openmetrics, protobuf, expected = (open(path, "rb").read() for path in sys.argv[1:])
    of_openmetrics, helps = of_text(openmetrics_parser.text_string_to_metric_families(openmetrics.decode()))
    is_created = lambda series: series[0].endswith("_created")
    created = {series: value for series, value in of_openmetrics.items() if is_created(series)}
    of_openmetrics = {series: value for series, value in of_openmetrics.items() if not is_created(series)}
    *of_protobuf_page, protobuf_created = of_protobuf(protobuf)
    pages = {
        "text": of_text(parser.text_string_to_metric_families(text.decode())),
        "OpenMetrics": (of_openmetrics, helps),
        "protobuf": of_protobuf_page,
    }
    assert created and len(created) == len(protobuf_created), f"{len(created)}, {len(protobuf_created)}"
    compare("created", created, protobuf_created, is_equal)
    wanted = {}
    for name, labels, value in map(json.loads, expected.decode().split("\n")[:-1]):
        insert(wanted, key(name, labels), float(value))
    samples, helps = pages["text"]
    compare("expected", wanted, samples, is_equal)
    for what, (others, other_helps) in pages.items():
        assert len(others) == len(samples), f"{what}: {len(others)} samples, not {len(samples)}"
        compare(what, samples, others, is_equal)
        compare(f"{what}, HELP", helps, other_helps, str.__eq__)
    print(len(samples))


main()
