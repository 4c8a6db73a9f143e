"""Format metrics as Prometheus text (the exposition format 0.0.4). Names follow the conventions `promtool` checks."""

from collections.abc import Iterable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Once(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def gauge(name: str, about: str, value: float) -> Metric:
    """A metric that goes up and down."""
    return GaugeMetricFamily(name, about, value=value)


def counter(name: str, about: str, value: float) -> Metric:
    """A metric that only grows. `_total` is added to the name."""
    return CounterMetricFamily(name, about, value=value)


def counters(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    """A family of counters, one for each value of `label`."""
    family = CounterMetricFamily(name, about, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def render(metrics: Iterable[Metric]) -> bytes:
    """Return `metrics` as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(list(metrics)))
    return generate_latest(registry)
