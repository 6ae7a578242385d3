# SPDX-License-Identifier: EUPL-1.2
"""Where scrubbed spans go: a file of JSON lines, or a collector over OTLP/HTTP with JSON.

Both write the same document, OpenTelemetry's `ResourceSpans` in its JSON form, so a file can be
sent to a collector later. Small on purpose: the spans hold few attributes, and the official
exporter brings protobuf and requests with it. Only tracing.py uses this, behind its scrubber.
"""

import http.client
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

__all__ = ["FileSpanExporter", "OtlpSpanExporter", "span_document"]

_TIMEOUT_S = 5.0
_ACCEPTED = range(200, 300)


def span_document(spans: Sequence[ReadableSpan]) -> bytes:
    """The spans as one OTLP/JSON document (`ExportTraceServiceRequest`)."""
    return orjson.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": [_attribute("service.name", "cuvar")]},
                    "scopeSpans": [
                        {"scope": {"name": "cuvar"}, "spans": [_span(span) for span in spans]}
                    ],
                }
            ]
        }
    )


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    document: dict[str, Any] = {
        "traceId": format(context.trace_id, "032x") if context else "",
        "spanId": format(context.span_id, "016x") if context else "",
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time or 0),
        "endTimeUnixNano": str(span.end_time or 0),
        "attributes": [_attribute(key, value) for key, value in (span.attributes or {}).items()],
        "status": {"code": span.status.status_code.value},
    }
    if span.parent is not None:
        document["parentSpanId"] = format(span.parent.span_id, "016x")
    return document


def _attribute(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    return {"key": key, "value": {"stringValue": str(value)}}


class FileSpanExporter(SpanExporter):
    """Adds one document a line to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append; a full disk loses spans, never an answer."""
        try:
            with self._path.open("ab") as file:
                file.write(span_document(spans) + b"\n")
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


class OtlpSpanExporter(SpanExporter):
    """Posts to `<endpoint>/v1/traces`; called from the batch processor's own thread."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._path = parts.path.removesuffix("/v1/traces") + "/v1/traces"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One POST; a collector that is away loses spans, never an answer."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, timeout=_TIMEOUT_S)
        try:
            connection.request(
                "POST", self._path, span_document(spans), {"content-type": "application/json"}
            )
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return SpanExportResult.FAILURE
        finally:
            connection.close()
        return SpanExportResult.SUCCESS if status in _ACCEPTED else SpanExportResult.FAILURE
