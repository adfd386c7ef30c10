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
DRAFT_JS = """(...values) => window.auralumeDrafts
  ? Object.fromEntries({names}.map((name, at) => [name, values[at]])) : {{ __type__: "update" }}"""


@dataclass(frozen=True)
class Draft:
    """One form's draft, as it is put back."""

    form: Form

    @property
    def names(self) -> list[str]:
        """List the names of the fields that it keeps: what is typed and set, but no files."""
        return [each.name for each in self.form.fields.fields if each.place and not isinstance(each, Upload)]

    def put_back(self, kept: Any) -> Updates:
        """Return the page's updates of a draft; what cannot be used any more is left out."""
        if not isinstance(kept, dict):
            return {}
        form, names = self.form, self.names
        values = form.readable({name: value for name, value in kept.items() if name in names})
        if form.keeps_seed is not None and not kept.get(KEEPS_SEED):
            values.pop("seed", None)
        model = next((each for each in form.fields.fields if isinstance(each, Model)), None)
        if model is not None and values.get("model") not in [each.key for each in form.registry.specs(model.task)]:
            values.pop("model", None)
        return form.updates(values)

    def wire(self) -> gr.BrowserState:
        """Keep it in the browser with every change: typed, chosen, clicked as an example, or put back.

        What changes before the drafts are back, when a page is opened, is none.
        """
        form, names = self.form, self.names
        state = gr.BrowserState(None, storage_key=f"{KEY}-{form.prefix}", secret=SECRET)
        parts: list[Any] = [form[name] for name in names]
        if form.keeps_seed is not None:
            names, parts = [*names, KEEPS_SEED], [*parts, form.keeps_seed]
        js = DRAFT_JS.format(names=json.dumps(names))
        events = [each.change for each in parts]
        options: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
        gr.on(events, None, parts, state, js=js, trigger_mode="multiple", **options)
        return state


DRAFTS: weakref.WeakKeyDictionary[Blocks, list[Draft]] = weakref.WeakKeyDictionary()


def keep_draft(form: Form) -> None:
    """Let a form have a draft, once `wire_drafts` is called."""
    if Context.root_block is not None:
        DRAFTS.setdefault(Context.root_block, []).append(Draft(form))


def wire_drafts(page: Blocks) -> None:
    """Keep all drafts, and put them back when the page is opened; called once, after the tabs and outside of them.

    What is inside a tab is not there before the tab is opened, and could not be read.
    """
    drafts = DRAFTS.get(page, [])
    if not drafts:
        return
    states = [each.wire() for each in drafts]
    outputs = list(dict.fromkeys(part for each in drafts for part in each.form.settable))

    def put_back(*kept: Any) -> Updates:
        found = [each.put_back(value) for each, value in zip(drafts, kept, strict=True)]
        return {part: value for each in found for part, value in each.items()} or {outputs[0]: gr.skip()}

    page.load(put_back, states, outputs, **QUIET).then(None, js=BEGIN_JS)
