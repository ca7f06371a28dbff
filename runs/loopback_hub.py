"""A hub on this machine, for rehearsals: made-up text and questions under the addresses of the real ones.

    python runs/loopback_hub.py FOLDER &      makes the files once, serves them, writes FOLDER/address when it is ready
    HF_ENDPOINT=$(cat FOLDER/address) ...     lets every stage find ClimbMix and the tasks there

FOLDER/core is a bundle of CORE's form with three short tasks. Ends on SIGTERM.
"""
import json
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from nanochat import tinyworld
from nanochat.benchmarks import write_bundle
from nanochat.dataset import VAL_SHARDS, gather, shard_name
from nanochat.files import is_complete, mark_complete
from nanochat.sources import CLIMBMIX_REPO
from nanochat.tasks.tinyworld import TinyChat, TinyFacts, TinyMath

SHARDS, SHARD_CHARS, ROWS = 3, 150_000, 60


def write_text(folder: Path) -> None:
    """Some shards of ClimbMix, with the tiny world's text in them."""
    texts = tinyworld.documents("train")
    for name in [*map(shard_name, range(SHARDS)), VAL_SHARDS["climbmix"]]:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"text": gather(texts, SHARD_CHARS)}), folder / name, row_group_size=50)


def question(i: int, words: str = "") -> dict:
    """A multiple-choice question."""
    rng = Random(f"{words}{i}")
    return dict(question=f"What is {i} and {i}{words}?", answer=(right := rng.randrange(4)),
                choices=[str(2 * i + k - right) for k in range(4)])


def gsm8k(split: str) -> list[dict]:
    """Word problems in the form of GSM8K."""
    rows = []
    for talk in islice(TinyMath(split, size=ROWS), ROWS):
        asked, said = (m["content"] for m in talk["messages"][-2:])
        text = "".join({"python": f"<<{p['text']}=", "python_output": f"{p['text']}>>"}.get(p["type"], p["text"])
                       for p in said)
        rows.append(dict(question=asked, answer=text))
    return rows


def arc(subset: str, split: str) -> list[dict]:
    """Questions in the form of ARC."""
    rows = (question(i, f", {subset} {split}") for i in range(ROWS))
    return [dict(question=q["question"], choices=dict(text=q["choices"], label=list("ABCD")),
                 answerKey="ABCD"[q["answer"]]) for q in rows]


def mmlu(split: str) -> list[dict]:
    """Questions in the form of MMLU."""
    return [question(i, f" in the {split} part") | dict(subject="sums") for i in range(ROWS)]


def humaneval() -> list[dict]:
    """Functions to write."""
    return [dict(task_id=f"T/{i}", entry_point=f"f{i}", prompt=f"def f{i}(x):\n    \"Adds {i}.\"\n",
                 canonical_solution=f"    return x + {i}\n",
                 test=f"def check(candidate):\n    assert candidate(1) == {i + 1}\n") for i in range(8)]


def smoltalk(split: str) -> list[dict]:
    """Conversations."""
    talks = TinyChat("train" if split == "train" else "val", size=ROWS)
    plain = [[m for m in talk["messages"] if isinstance(m["content"], str)] for talk in talks]
    return [dict(messages=talk["messages"]) for talk, kept in zip(talks, plain) if len(kept) == len(talk["messages"])]


def tables() -> dict[tuple[str, str, str], list[dict]]:
    """(repository, configuration, split) -> rows."""
    made = {("openai/openai_humaneval", "openai_humaneval", "test"): humaneval(),
            ("cais/mmlu", "auxiliary_train", "train"): mmlu("auxiliary_train")}
    made |= {("cais/mmlu", "all", split): mmlu(split) for split in ("dev", "validation", "test")}
    made |= {("openai/gsm8k", "main", split): gsm8k(split) for split in ("train", "test")}
    made |= {("HuggingFaceTB/smol-smoltalk", "default", split): smoltalk(split) for split in ("train", "test")}
    return made | {("allenai/ai2_arc", subset, split): arc(subset, split) for subset in ("ARC-Easy", "ARC-Challenge")
                   for split in ("train", "validation", "test")}


def core_tasks() -> list[tuple[str, list[dict]]]:
    """Three tasks of CORE, one of each kind: file of the bundle, rows."""
    facts = [(talk["messages"][0]["content"], talk["messages"][1]["content"]) for talk in TinyFacts("train", size=24)]
    choice = [dict(query=q["question"], choices=q["choices"], gold=q["answer"]) for q in map(question, range(24))]
    said = [dict(context=asked, continuation=answer) for asked, answer in facts]
    schema = [dict(context_options=[f"{a} is less than {b}, so {a}", f"{a} is less than {b}, so {b}"],
                   continuation="is the smaller one.", gold=0) for a, b in ((n, n + 3) for n in range(24))]
    return [("commonsense_reasoning/copa.jsonl", choice), ("reading_comprehension/squad.jsonl", said),
            ("language_understanding/winograd_wsc.jsonl", schema)]


def make(folder: Path) -> None:
    """All files of the hub."""
    write_text(folder / "www" / "datasets" / CLIMBMIX_REPO / "resolve" / "main")
    for (repo, config, split), rows in tables().items():
        path = folder / "www" / "files" / f"{repo.replace('/', '--')}--{config}--{split}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    write_bundle(folder / "core", core_tasks())
    mark_complete(folder)


class Hub(SimpleHTTPRequestHandler):
    """Lists the one file of each data set; the rest is a folder."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        if not self.path.startswith("/api/datasets/"):
            return super().do_GET()
        repo, rest = self.path.removeprefix("/api/datasets/").split("/parquet/")
        name = f"files/{repo.replace('/', '--')}--{rest.replace('/', '--')}.parquet"
        there = (Path(self.directory) / name).exists()
        body = json.dumps([f"http://{self.headers['Host']}/{name}"] if there else {"error": "no such split"}).encode()
        self.send_response(200 if there else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(folder: Path) -> None:
    """Serves until it is ended."""
    if not is_complete(folder):
        make(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Hub(*args, directory=str(folder / "www")))
    server.handle_error = lambda *args: None  # a client that hangs up is no news
    new = folder / "address.new"
    new.write_text(f"http://127.0.0.1:{server.server_port}")
    new.replace(folder / "address")
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
