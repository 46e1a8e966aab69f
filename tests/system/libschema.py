"""As much of OpenAPI's schemas as two documents use: does a value fit, and does one schema promise what another asks."""
import importlib
import json
import os
import sys

from libhw import SRCDIR, path


class Schemas:
    def __init__(self, document):
        self.named = document["components"]["schemas"]

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.named[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def parts(self, schema):
        """The schema without its allOf: one list of schemas that all hold."""
        schema = self.resolve(schema)
        return [p for s in schema["allOf"] for p in self.parts(s)] if "allOf" in schema else [schema]

    def nullable(self, schema):
        schema = self.resolve(schema)
        return bool(schema.get("nullable")) or not schema

    def members(self, schema):
        found = {}
        for part in self.parts(schema):
            found.update(part.get("properties", {}))
        return found

    def required(self, schema):
        return {name for part in self.parts(schema) for name in part.get("required", [])}

    # ---- values ----
    def fault(self, schema, value, where="reply", exact=False):
        """Why the value does not fit, or None. exact: members that the schema does not tell are a fault."""
        schema = self.resolve(schema)
        if value is None:
            return None if self.nullable(schema) else "%s is null" % where
        if "oneOf" in schema:
            faults = [self.fault(s, value, where, exact) for s in schema["oneOf"]]
            return None if None in faults else faults[0]
        if "allOf" in schema:
            faults = [self.fault(s, value, where) for s in schema["allOf"]]
            return next((f for f in faults if f), None) or self.unknown(schema, value, where, exact)
        return self.basic(schema, value, where) or self.inner(schema, value, where, exact)

    def basic(self, schema, value, where):
        kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}
        kind = schema.get("type")
        if kind and (not isinstance(value, kinds[kind]) or (kind != "boolean" and isinstance(value, bool))):
            return "%s is no %s: %r" % (where, kind, value)
        if "enum" in schema and value not in schema["enum"]:
            return "%s is none of %s: %r" % (where, schema["enum"], value)
        return None

    def inner(self, schema, value, where, exact):
        if isinstance(value, list):
            faults = (self.fault(schema.get("items", {}), v, "%s[%d]" % (where, i), exact) for i, v in enumerate(value))
            return next((f for f in faults if f), None)
        if not isinstance(value, dict):
            return None
        lacking = [name for name in schema.get("required", []) if name not in value]
        if lacking:
            return "%s lacks %s" % (where, lacking)
        rest = schema.get("additionalProperties")
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name, rest if isinstance(rest, dict) else None)
            fault = self.fault(inner, member, "%s.%s" % (where, name), exact) if inner is not None else None
            if fault:
                return fault
        return self.unknown(schema, value, where, exact)

    def unknown(self, schema, value, where, exact):
        known = self.members(schema)
        if not exact or not known or any(p.get("additionalProperties") for p in self.parts(schema)):
            return None
        more = [name for name in value if name not in known]
        return "%s has %s" % (where, more) if more else None

    # ---- schemas ----
    def promises(self, schema, other, asked, where="reply", seen=()):
        """What the schema asked (of the Schemas `other`) allows less than this one may give: a list of texts."""
        if (json.dumps(schema), json.dumps(asked)) in seen or not other.resolve(asked):
            return []
        seen += ((json.dumps(schema), json.dumps(asked)),)
        faults = []
        if self.nullable(schema) and self.resolve(schema) and not other.nullable(asked):
            faults.append("%s may be null" % where)
        mine, theirs = self.parts(schema)[0], other.parts(asked)[0]
        if "oneOf" in theirs or not mine:
            return faults
        kinds = mine.get("type", "object"), theirs.get("type", "object")
        if kinds[0] != kinds[1]:
            return faults + ["%s is %s, not %s" % (where, *kinds)]
        words = [w for w in mine.get("enum", []) if w is not None and w not in theirs.get("enum", mine["enum"])]
        if words or ("enum" in theirs and "enum" not in mine):
            faults.append("%s may be %s" % (where, words or "any text"))
        if kinds[0] == "array":
            return faults + self.promises(mine["items"], other, theirs["items"], where + "[]", seen)
        return faults + self.promised_members(schema, other, asked, where, seen)

    def promised_members(self, schema, other, asked, where, seen):
        mine, theirs = self.members(schema), other.members(asked)
        faults = ["%s.%s may be missing" % (where, name) for name in sorted(other.required(asked) - self.required(schema))
                  if theirs and mine]
        for name in sorted(set(mine) & set(theirs)):
            faults += self.promises(mine[name], other, theirs[name], "%s.%s" % (where, name), seen)
        return faults


def contract():
    with open(os.path.join(SRCDIR, "tests", "system", "contract.json")) as f:
        return json.load(f)


def module(name):
    """A module of other people's, of those that ./check installs; None: it could not be had."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print("skipped: %s is not here" % name)
        return None