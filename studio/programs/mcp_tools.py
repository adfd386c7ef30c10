"""The MCP server's tools, so that what one returns another takes: every result in a text of its own, files by name.

Gradio's server puts all results of a streaming endpoint into one text in Python's notation, and takes files by web
addresses of other machines alone. What a parameter takes is told from the declaration of the controls.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from gradio.mcp import GradioMCPServer
from gradio_client.utils import is_file_obj_with_meta
from mcp.server import Server
from pydantic import BaseModel

from studio.library.owners import owner_of
from studio.page.fields import REQUIRED, Field, Numeric, Upload
from studio.page.given_files import find_given_file
from studio.page.keeping import LIBRARIES
from studio.page.places import places_of

LOOPBACK_NAME = "mcp"  # by which the server tells its own client's requests apart
WAYS_OF_FILES = "a web address, the address or path of a result of this studio, or library://ID of a kept one"
LEAST_STEP = 1e-3  # of progress, which has to grow from one notice to the next


class CheckingServer(Server[Any, Any]):
    """A server that leaves wrong values to the controls: their sentences name the parameter and what it takes."""

    def call_tool(self, *, validate_input: bool = False) -> Any:
        """Return the decorator of what answers a call."""
        return super().call_tool(validate_input=validate_input)


class StudioTools(GradioMCPServer):
    """The endpoints as tools."""

    Server = CheckingServer

    def get_input_schema(
        self, tool_name: str, parameters: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], list[list[str | int]]]:
        """Add to Gradio's schema what it leaves out: limits, falsy defaults, and how a file is given."""
        schema, positions = super().get_input_schema(tool_name, parameters)
        program = places_of(self.blocks).programs.get(self.tool_to_endpoint[tool_name].lstrip("/"))
        for name, row in schema.get("properties", {}).items():
            if program is not None and name in program.fields:
                _declare(program.fields[name], row)
        return schema, positions

    async def _execute_tool_without_progress(self, job: Any) -> list[Any]:
        """Return the results of a call one by one."""
        result = await asyncio.to_thread(job.result)
        return list(result) if isinstance(result, (tuple, list)) else [result]

    async def _execute_tool_with_progress(self, job: Any, progress_token: str | int) -> Any:
        """Tell how far a call is, in per cent and in words, then return its results one by one."""
        session, asked = self.mcp_server.request_context.session, str(self.mcp_server.request_context.request_id)
        told, reached = "", 0.0
        async for update in job:
            if update.type != "status":
                continue
            for said, share in _progress_of(update):
                now = max(reached + LEAST_STEP, 100.0 * (share or 0.0))
                if said != told or now - reached >= 1.0:
                    told, reached = said, now
                    await session.send_progress_notification(
                        progress_token, now, 100.0, message=said, related_request_id=asked
                    )
        return await self._execute_tool_without_progress(job)

    def convert_strings_to_filedata(self, value: Any, filedata_positions: list[list[str | int]]) -> Any:
        """Take paths, addresses and library handles of the studio's own results too.

        Raises:
            ValueError: a path is not the studio's.
        """
        rest, own = dict(value), {}
        for name in [str(position[0]) for position in filedata_positions if len(position) == 1]:
            given = rest.get(name)
            if given == "":
                rest[name] = None
            elif isinstance(given, str) and not given.startswith("data:"):
                file = find_given_file(given, LIBRARIES.get(self.blocks), self._owner())
                if file is not None:
                    own[name] = {"path": str(file), "orig_name": file.name, "meta": {"_type": "gradio.FileData"}}
                    del rest[name]
        return super().convert_strings_to_filedata(rest, filedata_positions) | own

    def _owner(self) -> str:
        request: Any = self.mcp_server.request_context.request
        return owner_of(request.headers if request is not None else {})

    def postprocess_output_data(self, data: Any, root_url: str) -> Any:
        """Write reports as JSON, and say where there is no file."""
        plain = [each.model_dump() if isinstance(each, BaseModel) else each for each in data]
        parts = [each for output in plain for each in (output if _is_files(output) else [output])]
        return super().postprocess_output_data([_shown(each) for each in parts], root_url)

    def _get_or_create_client(self) -> Any:
        """Return the client of the server itself, with the password of the one who asked first."""
        request: Any = self.mcp_server.request_context.request
        password = request.headers.get("authorization") if request is not None else None
        if self._client_instance is None and password:
            from gradio_client import Client

            self._client_instance = Client(
                str(self.local_url),
                download_files=False,
                verbose=False,
                analytics_enabled=False,
                _skip_components=False,
                headers={"x-gradio-user": LOOPBACK_NAME, "authorization": password},
            )
        return super()._get_or_create_client()


def _declare(declared: Field, row: dict[str, Any]) -> None:
    """Say in a parameter's schema what its declaration says."""
    if isinstance(declared, Upload):
        if row.get("type") == "string":
            row.pop("required", None)
            row.pop("title", None)
            row["format"] = WAYS_OF_FILES
        return
    if isinstance(declared, Numeric):
        row |= {
            name: limit for name, limit in (("minimum", declared.low), ("maximum", declared.high)) if limit is not None
        }
    if declared.default is not REQUIRED and declared.default is not None:
        row.setdefault("default", declared.default)


def _progress_of(update: Any) -> list[tuple[str, float | None]]:
    """Return what an update tells: a sentence and a share in [0, 1] or None, or nothing."""
    found = [(str(each.desc or ""), each.progress) for each in update.progress_data or []]
    if not found and update.rank:
        found = [(f"{update.rank} before you", None)]
    return [(said, share) for said, share in found if said]


def _is_files(output: Any) -> bool:
    return isinstance(output, list) and bool(output) and all(is_file_obj_with_meta(each) for each in output)


def _shown(output: Any) -> Any:
    if output is None:
        return "no file"
    if isinstance(output, (dict, list)) and not is_file_obj_with_meta(output):
        return json.dumps(output, ensure_ascii=False)
    return output
