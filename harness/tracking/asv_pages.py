"""asv's pages made to stand alone: no server of others, and from a file system as well.

asv 0.6 loads its libraries from three servers and its data by requests, which a browser refuses to
a page of a file system. Here the libraries come from `vendor`, and each JSON file becomes a script
that hands the same data over (`local.js` asks for it).
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from harness.errors import StoreError

VENDOR = Path(__file__).with_name("vendor")
OURS = Path(__file__).with_name("asv_page")
# What a page asks for by the last part of its address -> what it gets; "" is left out.
REPLACED = {
    "jquery-3.3.1.min.js": "jquery.js",
    "jquery.flot.min.js": "jquery.flot.js",
    "jquery.flot.time.min.js": "jquery.flot.time.js",
    "jquery.flot.selection.min.js": "jquery.flot.selection.js",
    "jquery.flot.categories.min.js": "jquery.flot.categories.js",
    "jquery.flot.orderBars.js": "",
    "stupidtable.min.js": "stupidtable.js",
    "md5.min.js": "md5.js",
    "bootstrap.min.js": "bootstrap.js",
    "bootstrap.min.css": "bootstrap.css",
}
SCRIPT = re.compile(r'[ \t]*<script src="https?://[^"]*/([^"/]+)"[^>]*></script>\n')
SHEET = re.compile(r'[ \t]*<link rel="stylesheet" href="https?://[^"]*/([^"/]+)"[^>]*>\n')
FOREIGN = re.compile(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"[^>]*>')
HEAD = (
    '    <meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '    <link href="vendor/local.css" rel="stylesheet" type="text/css"/>\n'
)
HOME = '<a href="../index.html" class="navbar-link">all nights</a> · '


def bring_home(site: Path) -> None:
    """Rewrite what `asv publish` made. Raises StoreError for a page that asks for what is not
    kept here, as another version of asv may."""
    index = site / "index.html"
    index.write_text(alone(index.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(VENDOR, site / "vendor", dirs_exist_ok=True)
    shutil.copytree(OURS, site / "vendor", dirs_exist_ok=True)
    # A page of a missing network is of no use here.
    (site / "error.html").unlink(missing_ok=True)
    for path in sorted(site.rglob("*.json")):
        name = path.relative_to(site).as_posix()
        data = path.read_text(encoding="utf-8").strip()
        # U+2028 and U+2029 may stand in JSON; escaped they may in any script.
        data = data.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        script = f"asvData[{json.dumps(name)}] = {data};\n"
        path.with_name(f"{path.name}.js").write_text(script, encoding="utf-8")
        path.unlink()


def alone(page: str) -> str:
    """The page without a foreign address. Raises StoreError."""
    page = SCRIPT.sub(_script, page)
    page = SHEET.sub(_sheet, page)
    page = page.replace("</head>", f"{HEAD}  </head>", 1)
    page = page.replace(
        '<a href="https://github.com/airspeed', f'{HOME}<a href="https://github.com/airspeed', 1
    )
    page = page.replace("<html>", '<html lang="en">', 1)
    foreign = FOREIGN.search(page)
    if foreign:
        raise StoreError(
            f"asv's page asks for what is not kept here: {foreign.group()[:120]}",
            hint="is asv of the version in requirements.lock?",
        )
    return page


def _script(found: re.Match[str]) -> str:
    name = _kept(found)
    own = f'    <script src="vendor/{name}"></script>\n' if name else ""
    # jQuery is the first, and what comes after it may ask for data at once.
    return f'{own}    <script src="vendor/local.js"></script>\n' if name == "jquery.js" else own


def _sheet(found: re.Match[str]) -> str:
    return f'    <link rel="stylesheet" href="vendor/{_kept(found)}">\n'


def _kept(found: re.Match[str]) -> str:
    if found[1] not in REPLACED:
        raise StoreError(
            f"asv's page asks for {found[1]}, which is not kept here",
            hint="is asv of the version in requirements.lock?",
        )
    return REPLACED[found[1]]
