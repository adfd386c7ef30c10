"""The MCP server's tools, so that what one returns another takes: every result in a text of its own, files by name.

Gradio's server puts all results of a streaming endpoint into one text in Python's notation, and takes files by web
addresses of other machines alone.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from gradio.mcp import GradioMCPServer
from gradio_client.utils import is_file_obj_with_meta

from studio.page.given_files import find_own_file

LOOPBACK_NAME = "mcp"  # by which the server tells its own client's requests apart


class StudioTools(GradioMCPServer):
    """The endpoints as tools."""

    async def _execute_tool_without_progress(self, job: Any) -> list[Any]:
        """Return the results of a call one by one."""
        result = await asyncio.to_thread(job.result)
        return list(result) if isinstance(result, (tuple, list)) else [result]

    def convert_strings_to_filedata(self, value: Any, filedata_positions: list[list[str | int]]) -> Any:
        """Take paths and addresses of the studio's own results too.

        Raises:
            ValueError: a path is not the studio's.
        """
        rest, own = dict(value), {}
        for name in [str(position[0]) for position in filedata_positions if len(position) == 1]:
            given = rest.get(name)
            if given == "":
                rest[name] = None
            elif isinstance(given, str) and not given.startswith("data:"):
                file = find_own_file(given)
                if file is not None:
                    own[name] = {"path": str(file), "orig_name": file.name, "meta": {"_type": "gradio.FileData"}}
                    del rest[name]
        return super().convert_strings_to_filedata(rest, filedata_positions) | own

    def postprocess_output_data(self, data: Any, root_url: str) -> Any:
        """Write reports as JSON, and say where there is no file."""
        return super().postprocess_output_data([_shown(each) for each in data], root_url)

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


def _shown(output: Any) -> Any:
    if output is None:
        return "no file"
    if isinstance(output, (dict, list)) and not is_file_obj_with_meta(output):
        return json.dumps(output, ensure_ascii=False)
    return output
