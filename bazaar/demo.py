"""`python -m bazaar demo`: the whole chain on a fresh marketplace, as a newcomer would run it.

Everything goes through the command `touchstone`, as a person would type it; this file only
starts it, and holds what it found against the truth.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Who buys; on a real marketplace somebody whom the brand has nothing to do with.
PERSONA = """\
name: Test Buyer
email: buyer@example.com
line1: 1 Example Street
city: London
postcode: EC1A 1BB
country: GB
"""

FAKES = ("open_fake", "disguised_fake", "quiet_fake", "relisted_fake")


class DemoFailed(Exception):
    """A step of the demo did not do what it should."""


class Demo:
    """One demo in one folder.

    Parameters
    ----------
    folder
        Made anew: what an earlier demo left there is taken away.
    """

    def __init__(self, folder: Path, seed: int, listings: int) -> None:
        self.folder = folder
        self.seed = seed
        self.listings = listings
        self.world = folder / "world"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TOUCHSTONE_")},
            "TOUCHSTONE_DATA_DIR": str(folder / "data"),
            "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            **{k: v for k, v in os.environ.items() if k == "TOUCHSTONE_BROWSER"},
        }

    def touchstone(self, *arguments: object) -> Any:
        """Run the command and return its JSON; its progress is seen on the terminal."""
        words = [str(argument) for argument in arguments]
        print(f"\n$ touchstone {' '.join(words)}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "console.cli", *words, "--json"],
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DemoFailed(f"touchstone {words[0]} ended with {done.returncode}\n{done.stdout}")
        return json.loads(done.stdout)

    @contextmanager
    def marketplace(self) -> Iterator[str]:
        """The bazaar, served by a process of its own, and its address."""
        server = subprocess.Popen(
            [sys.executable, "-m", "bazaar", "serve", str(self.world), "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if line.startswith("bazaar: "):
                    yield line.removeprefix("bazaar: ").strip()
                    return
            raise DemoFailed("the bazaar did not start")
        finally:
            server.terminate()
            server.wait(timeout=10)

    def run(self) -> None:
        """Register, watch, match, capture, verify, buy, compare."""
        began = time.monotonic()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        print(f"Making a marketplace of {self.listings} listings from seed {self.seed} …")
        subprocess.run(
            [
                sys.executable, "-m", "bazaar", "make", str(self.world),
                "--seed", str(self.seed), "--listings", str(self.listings),
            ],
            check=True,
        )  # fmt: skip
        with self.marketplace() as url:
            self._chain(url)
            print(f"\nDone in {time.monotonic() - began:.0f} seconds. The bazaar is at {url}")
            if os.environ.get("DEMO_SERVE", "1") != "0":
                self._serve()

    def _chain(self, url: str) -> None:
        self.touchstone("init")
        for brand in sorted((self.world / "brand").glob("*.yaml")):
            added = self.touchstone("brand", "add", brand)
            print(
                f"  {added['name']}: {added['products']} products, {added['references']} pictures"
            )
        for plan in sorted(self.world.glob("plan*.yaml")):
            text = plan.read_text(encoding="utf-8")
            local = self.folder / plan.name
            local.write_text(text.replace("http://127.0.0.1:8765/", url), encoding="utf-8")
            seen = self.touchstone("watch", local)
            print(
                f"  {seen['pages']} pages, {seen['listings']} listings, {seen['flagged']} flagged"
            )
        flagged = self.touchstone("queue", "--limit", 100_000)
        self._against_truth(flagged)
        self._evidence()
        self._purchase(flagged)

    def _against_truth(self, flagged: Sequence[dict[str, Any]]) -> None:
        truth = self.truth()
        kinds = Counter(listing["kind"] for listing in truth.values())
        accused = {row["external_id"] for row in flagged}
        hits = Counter(truth[i]["kind"] for i in accused)
        print(f"\n  {'kind':<22}{'listings':>9}{'flagged':>9}")
        for kind, number in sorted(kinds.items()):
            print(f"  {kind:<22}{number:>9}{hits[kind]:>9}")
        right = sum(hits[kind] for kind in FAKES)
        there = sum(kinds[kind] for kind in FAKES)
        print(
            f"  precision {right / max(1, len(accused)):.3f}, recall {right / max(1, there):.3f} "
            f"on {there} fakes among {len(truth)} listings"
        )

    def truth(self) -> dict[str, dict[str, Any]]:
        """What each listing really is, by its id; no page shows it."""
        listings: dict[str, dict[str, Any]] = json.loads(
            (self.world / "truth.json").read_text(encoding="utf-8")
        )["listings"]
        return listings

    def _evidence(self) -> None:
        captures = self.touchstone("evidence", "list")
        if not captures:
            raise DemoFailed("no evidence was captured")
        bundle = self.folder / "evidence.wacz"
        self.touchstone("evidence", "export", captures[0]["id"], bundle)
        report = self.touchstone("evidence", "verify", bundle)[0]
        print(
            f"  {len(captures)} sealed bundles; {bundle} is intact: {len(report['checks'])} checks"
        )

    def _purchase(self, flagged: Sequence[dict[str, Any]]) -> None:
        for name, role in (
            ("Demo Approver", "approver"),
            ("Demo Buyer", "buyer"),
            ("Demo Administrator", "administrator"),
        ):
            self.touchstone("people", "add", name, "--role", role)
        administrator = ("--by", "Demo Administrator")
        self.touchstone("marketplace", "mode", "bazaar", "automatic", *administrator)
        persona = self.folder / "persona.yaml"
        persona.write_text(PERSONA, encoding="utf-8")
        self.touchstone("persona", "add", persona, "--buyer", "Demo Buyer", "--label", "demo")
        persona.unlink()
        worst = next(row for row in flagged if row["purchase_state"] == "proposed")
        approver = ("--by", "Demo Approver")
        self.touchstone("purchase", "approve", worst["purchase_id"], *approver)
        bought = self.touchstone("purchase", "assign", worst["purchase_id"], *approver)
        if bought["state"] != "ordered":
            raise DemoFailed(f"the purchase is {bought['state']}: {bought['note']}")
        print(f"  bought {worst['title']!r}: order {bought['order_number']}, {bought['total']}")

    def _serve(self) -> None:
        port = os.environ.get("DEMO_PORT", "8000")
        console = subprocess.Popen(
            [sys.executable, "-m", "console.cli", "serve", "--port", port], env=self.env
        )
        print("Stop with Ctrl-C. DEMO_SERVE=0 make demo ends by itself.", flush=True)
        try:
            console.wait()
        except KeyboardInterrupt:
            console.send_signal(signal.SIGINT)
            console.wait(timeout=20)
