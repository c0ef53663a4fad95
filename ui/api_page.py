"""The API's documentation as one plain page, made from its OpenAPI description: nothing comes from outside."""

from __future__ import annotations

import json
from html import escape
from typing import Any

_HEAD = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Sourcier</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 860px; margin: 0 auto; padding: 24px 16px 64px; }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: 14px 0; }
h2 { font-size: 1rem; margin: 0; } code { font-size: .95em; }
pre { overflow-x: auto; padding: 10px 12px; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 6px; }
</style></head><body><h1>L’API de Sourcier</h1>
<p>Description complète, pour un programme : <a href="/openapi.json">/openapi.json</a>.
Les clients d’OpenAI se branchent sur <code>/v1</code>.</p>
"""


def api_page(description: dict[str, Any]) -> str:
    """Every address with what it does and the body it takes."""
    parts = [_HEAD]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            about = escape(operation.get("description", "")).replace("`", "")
            parts.append(f"<section><h2><code>{method.upper()} {escape(path)}</code></h2><p>{about}</p>")
            content = operation.get("requestBody", {}).get("content", {})
            for kind, body in content.items():
                shown = json.dumps(_fields(body["schema"], description), ensure_ascii=False, indent=2)
                parts.append(f"<p>{escape(kind)}</p><pre>{escape(shown)}</pre>")
            parts.append("</section>")
    return "".join([*parts, "</body></html>"])


def _fields(schema: dict[str, Any], description: dict[str, Any]) -> Any:
    """A schema as an example: each field with its type, or its first example."""
    if reference := schema.get("$ref"):
        return _fields(description["components"]["schemas"][reference.rsplit("/", 1)[-1]], description)
    if "properties" in schema:
        return {name: _fields(field, description) for name, field in schema["properties"].items()}
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return _fields(schema["anyOf"][0], description)
    if schema.get("type") == "array":
        return [_fields(schema["items"], description)]
    return schema.get("type", "")
