"""Drafts: what a person has typed and set is there again after a reload, kept by the browser alone."""

from __future__ import annotations

import json
import weakref
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Blocks
from gradio.context import Context

from studio.page.components import QUIET
from studio.page.fields import Model, Upload
from studio.page.form import Form
from studio.page.panels import Updates

KEY, SECRET = "auralume-draft", "auralume-draft"  # fixed, so that a restarted studio can read them; they hide nothing
KEEPS_SEED = "keeps_seed"
BEGIN_JS = "() => { window.auralumeDrafts = true; }"
DRAFT_JS = """(before, ...values) =>
  window.auralumeDrafts ? Object.fromEntries({names}.map((name, at) => [name, values[at]])) : before"""


@dataclass(frozen=True)
class Draft:
    """One form's draft, and what holds it in the browser."""

    form: Form
    state: gr.BrowserState

    def put_back(self, kept: Any) -> Updates:
        """Return the page's updates of a draft; what cannot be used any more is left out."""
        if not isinstance(kept, dict):
            return {}
        form = self.form
        values = form.readable({name: value for name, value in kept.items() if name in drafted(form)})
        if form.keeps_seed is not None and not kept.get(KEEPS_SEED):
            values.pop("seed", None)
        model = next((each for each in form.fields.fields if isinstance(each, Model)), None)
        if model is not None and values.get("model") not in [each.key for each in form.registry.specs(model.task)]:
            values.pop("model", None)
        return form.updates(values)


DRAFTS: weakref.WeakKeyDictionary[Blocks, list[Draft]] = weakref.WeakKeyDictionary()


def drafted(form: Form) -> list[str]:
    """List the names of the fields that a draft keeps: what is typed and set, but no files."""
    return [each.name for each in form.fields.fields if each.place and not isinstance(each, Upload)]


def keep_draft(form: Form) -> None:
    """Keep a form's draft in the browser with every change: typed, chosen, clicked as an example, or put back.

    What changes before the drafts of before are back, when a page is opened, is none.
    """
    names = drafted(form)
    state = gr.BrowserState(None, storage_key=f"{KEY}-{form.prefix}", secret=SECRET)
    parts = [form[name] for name in names]
    kept = [*names, KEEPS_SEED] if form.keeps_seed is not None else names
    inputs = [*parts, form.keeps_seed] if form.keeps_seed is not None else parts
    js = DRAFT_JS.format(names=json.dumps(kept))
    events = [each.change for each in inputs]
    options: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
    gr.on(events, None, [state, *inputs], state, js=js, trigger_mode="multiple", **options)
    if Context.root_block is not None:
        DRAFTS.setdefault(Context.root_block, []).append(Draft(form, state))


def wire_drafts(page: Blocks) -> None:
    """Put all drafts back when the page is opened; called once, after the tabs."""
    drafts = DRAFTS.get(page, [])
    if not drafts:
        return
    outputs = list(dict.fromkeys(part for each in drafts for part in each.form.settable))

    def put_back(*kept: Any) -> Updates:
        found = [each.put_back(value) for each, value in zip(drafts, kept, strict=True)]
        return {part: value for each in found for part, value in each.items()} or {outputs[0]: gr.skip()}

    page.load(put_back, [each.state for each in drafts], outputs, **QUIET).then(None, js=BEGIN_JS)
