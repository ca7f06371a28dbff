"""What a GPU makes of this project: correctness first, then speed, each beside what arithmetic and memory promise.

    bash runs/gpucheck.sh                                  on one NVIDIA GPU, under ten minutes
    DEVICE=cpu SCALE=tiny bash runs/gpucheck.sh            the parts that need none, in miniature

Every line of the table is "ok", "FAILED", "measured", "skipped" (with the reason) or "not here" (a library, or a
part of the project, that is missing). The exit status is 1 if something failed. All of it stands in the JSON file, too.
"""
import argparse
import gc
import json
import math
import os
import statistics
import subprocess
import sys
import time
import traceback
from pathlib import Path

import torch

from nanochat import engine, flash_attention
from nanochat.benchmarks import read_bundle, wheel_bundle
from nanochat.common import COMPUTE_DTYPE, UserError, compute_init, get_base_dir
from nanochat.core_eval import ask, prediction, score_one, score_questions, shuffled
from nanochat.dataset import available
from nanochat.devices import peak_flops, rank_memory
from nanochat.files import is_complete, write_json
from nanochat.flash_attention import attention_rung, flash_attn_func, flash_attn_with_kvcache, sdpa_reference
from nanochat.fp8 import convert_to_fp8, fp8_problem
from nanochat.gpt import GPT, GPTConfig, flops_per_token, window_sizes
from nanochat.report_parts import environment
from nanochat.scaling import memory_per_rank, most_rows, shape
from nanochat.tokenizer import get_tokenizer

SCALES = {
    "full": dict(depth=12, deep=20, T=2048, vocab=32768, rows=32, product=8192, copy_mb=2048, steps=10, core=200,
                 batches=(1, 16, 64), prompt=1024, new=128, fp8_steps=50, run_seconds=150,
                 chars=8_000_000, run_vocab=8192),
    "tiny": dict(depth=2, deep=None, T=256, vocab=512, rows=2, product=256, copy_mb=8, steps=2, core=6,
                 batches=(1, 4), prompt=16, new=6, fp8_steps=2, run_seconds=2, chars=150_000, run_vocab=512)}


class Check:
    """The results so far; knows the time that is left."""

    def __init__(self, device: torch.device, scale: str, minutes: float):
        self.device, self.scale, self.until = device, scale, time.monotonic() + 60 * minutes
        self.results, self.machine = [], {}
        self.__dict__.update(SCALES[scale])

    @property
    def left(self) -> float:
        """Seconds."""
        return self.until - time.monotonic()

    @property
    def cuda(self) -> bool:
        """Whether a GPU is checked."""
        return self.device.type == "cuda"

    def add(self, name: str, status: str, text: str = "", **numbers):
        """A line of the table, printed at once."""
        self.results.append(dict(name=name, status=status, text=text, **numbers))
        print(f"{status:9} {name:42} {text}", flush=True)

    def verdict(self, name: str, error: float, limit: float, text: str = ""):
        """A line for a number that must stay below a limit."""
        good = error <= limit  # False for nan
        self.add(name, "ok" if good else "FAILED", f"{text}{error:.2g}, at most {limit:.2g}", error=error, limit=limit)

    def clock(self) -> float:
        """The time when the device has done all that it was told."""
        if self.cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def seconds(self, fn, repeats: int = 5) -> float:
        """The median duration of a call, after one for nothing."""
        fn()
        took = []
        for _ in range(repeats):
            start = self.clock()
            fn()
            took.append(self.clock() - start)
        return statistics.median(took)


def free() -> None:
    """Gives memory back between two measurements."""
    gc.collect()
    torch._dynamo.reset()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def new_model(c: Check, depth: int, windows: str = "SSSL", T: int | None = None) -> GPT:
    """A model with the initial weights of seed 0."""
    torch.manual_seed(0)
    config = GPTConfig(T or c.T, c.vocab, **shape(depth), window_pattern=windows)
    with torch.device("meta"):
        model = GPT(config)
    model.to_empty(device=c.device)
    model.init_weights()
    return model


def compiled(c: Check, model):
    """The model as training calls it; on a CPU only traced, since compiling takes minutes there."""
    return torch.compile(model, dynamic=False) if c.cuda else torch.compile(model, backend="aot_eager", dynamic=False)


def some_tokens(c: Check, rows: int, T: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch: inputs and targets that can be learned (each token is followed by its successor, mostly)."""
    g = torch.Generator().manual_seed(1)
    ids = (torch.randint(c.vocab, (rows, 1), generator=g) + torch.arange((T or c.T) + 1)) % c.vocab
    noise = torch.rand(ids.shape, generator=g) < 0.1
    ids = torch.where(noise, torch.randint(c.vocab, ids.shape, generator=g), ids).to(c.device)
    return ids[:, :-1], ids[:, 1:]


def train_steps(model, forward, steps: int, batch) -> list[float]:
    """Losses of some optimizer steps on one batch."""
    optimizer, losses = model.setup_optimizer(), []
    for _ in range(steps):
        loss = forward(*batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
    return [x.item() for x in losses]


def machine(c: Check) -> None:
    """Two numbers that everything else is compared with: how fast this device multiplies, and how fast it copies."""
    a = torch.randn(c.product, c.product, device=c.device, dtype=COMPUTE_DTYPE)
    rate = 2 * c.product**3 / c.seconds(lambda: a @ a, 10)
    x = torch.empty(c.copy_mb * 1_000_000, dtype=torch.uint8, device=c.device)
    y = torch.empty_like(x)
    copies = 2 * len(x) / c.seconds(lambda: y.copy_(x), 10)
    sheet = peak_flops(torch.cuda.get_device_name(), COMPUTE_DTYPE) if c.cuda else None
    c.machine = dict(matmul_flops=rate, copy_bytes=copies, data_sheet_flops=sheet, **environment(c.device))
    c.add("matrix product", "measured", f"{rate / 1e12:.3g} TFLOP/s in {str(COMPUTE_DTYPE).removeprefix('torch.')}"
          + (f", {rate / sheet:.0%} of the data sheet" if sheet else ""), flops=rate)
    c.add("copy", "measured", f"{copies / 1e9:.3g} GB/s read and written", bytes=copies)


def rungs(c: Check) -> dict:
    """Name -> why it cannot be used here, or None; one that is chosen by itself where the project knows no names."""
    known = getattr(flash_attention, "RUNGS", None)
    if known is None:
        return {attention_rung(c.device.type)[0]: None}
    found = {name: rung.problem(c.device.type, COMPUTE_DTYPE, 64, True) for name, rung in known.items()}
    if not c.cuda and "flex" in found:
        found["flex"] = found["flex"] or "compiles for half a minute on a CPU; tested in test_attention"
    return found


def with_rung(name: str):
    """From now on this rung computes attention, where that can be chosen."""
    if hasattr(flash_attention, "force_attention"):
        flash_attention.force_attention(name)


def attention_error(c: Check, window: int, kv_heads: int, D: int) -> float:
    """The largest error of output and gradients of an attention call, relative to their size, against float32."""
    g, H, worst = torch.Generator().manual_seed(2), 4, 0.0
    T = c.T // 2 + 37  # no multiple of a block
    made = [torch.randn(2, T, h, D, generator=g).to(c.device) for h in (H, kv_heads, kv_heads, H)]
    ways = []
    for attend, dtype in ((sdpa_reference, torch.float32), (flash_attn_func, COMPUTE_DTYPE)):
        q, k, v = (t.clone().to(dtype).requires_grad_() for t in made[:3])
        y = attend(q, k, v, True, (window, 0))
        y.backward(made[3].to(dtype))
        ways.append([t.float() for t in (y.detach(), q.grad, k.grad, v.grad)])
    for right, got in zip(*ways):
        worst = max(worst, ((right - got).abs().max() / right.abs().max()).item())
    return worst


def decode_error(c: Check, window: int) -> float:
    """The same for a cache that is filled in pieces, then token by token, its rows of different lengths."""
    g, (B, S, H, D) = torch.Generator().manual_seed(3), (2, 96, 4, 64)
    q, k, v = (torch.randn(B, S, H, D, generator=g).to(c.device, COMPUTE_DTYPE) for _ in range(3))
    right = sdpa_reference(q.float(), k.float(), v.float(), True, (window, 0))
    caches = [torch.zeros_like(k), torch.zeros_like(v)]
    lengths, worst = torch.zeros(B, dtype=torch.int32, device=c.device), 0.0
    starts = [0, 0]
    for T in (40, 8, 1, 1, 1):
        at = [slice(s, s + T) for s in starts]
        piece = [torch.stack([t[b, a] for b, a in enumerate(at)]) for t in (q, k, v)]
        y = flash_attn_with_kvcache(piece[0], *caches, piece[1], piece[2], lengths, True, (window, 0))
        for b, a in enumerate(at):
            worst = max(worst, ((y[b].float() - right[b, a]).abs().max() / right.abs().max()).item())
        starts = [s + T for s in starts]
        lengths += T
        if T == 8:  # the second row goes back, as a row does that enters late
            starts[1] -= 5
            lengths[1] -= 5
    return worst


@torch.no_grad()
def decode_check(c: Check, name: str, limit: float) -> None:
    """Cached decoding with a long and a short window."""
    c.verdict(f"attention {name}: cached, in pieces", max(decode_error(c, w) for w in (200, 30)), limit)


def equivalence(c: Check) -> None:
    """Every rung that loads, against plain float32 attention."""
    limit = 3e-2 if COMPUTE_DTYPE != torch.float32 else 1e-4
    for name, problem in rungs(c).items():
        if problem:
            c.add(f"attention {name}", "not here", problem)
            continue
        with_rung(name)
        try:
            cases = [(c.T, 4, 64), (c.T // 8, 4, 64), (c.T // 8, 2, 64)] + [(c.T // 8, 4, 128)] * c.cuda
            errors = [attention_error(c, *case) for case in cases]
            c.verdict(f"attention {name}: forward, backward", max(errors), limit)
            decode_check(c, name, limit)
        except Exception as e:
            c.add(f"attention {name}", "FAILED", f"{type(e).__name__}: {' '.join(str(e).split())[:200]}")
        finally:
            with_rung("")


def one_step(c: Check) -> None:
    """Three optimizer steps, compiled and eager: the same losses."""
    depth = min(4, c.depth)
    batch, losses = some_tokens(c, 2), {}
    for way in ("0", "1"):
        os.environ["NANOCHAT_COMPILE"] = way if c.cuda else "0"  # the optimizer's kernels follow it
        model = new_model(c, depth)
        losses[way] = train_steps(model, compiled(c, model) if way == "1" else model, 3, batch)
    os.environ.pop("NANOCHAT_COMPILE")
    c.verdict("training step, compiled against eager", max(abs(a - b) for a, b in zip(*losses.values())), 0.02,
              "loss differs by ")
    free()


def fp8_losses(c: Check) -> None:
    """Fifty steps with 8-bit products, and without."""
    if problem := fp8_problem(c.device):
        return c.add("fp8 against bf16", "skipped", problem)
    batch, losses = some_tokens(c, 8), []
    for convert in (False, True):
        model = new_model(c, 6)
        if convert:
            convert_to_fp8(model)
        losses.append(train_steps(model, compiled(c, model), c.fp8_steps, batch))
    last = [statistics.mean(line[-10:]) for line in losses]
    c.verdict("fp8 against bf16, loss after 50 steps", abs(last[0] - last[1]), 0.05,
              f"{last[0]:.3f} and {last[1]:.3f}, apart ")
    free()


def throughput(c: Check, depth: int, windows: str, fp8: bool) -> None:
    """Tokens per second of a training step, beside what the matrix rate promises; peak memory beside the forecast."""
    name = f"training d{depth} {windows}{' fp8' if fp8 else ''}"
    if fp8 and (problem := fp8_problem(c.device)):
        return c.add(name, "skipped", problem)
    if c.left < 90 and c.cuda:
        return c.add(name, "skipped", "no time left")
    free()
    model = new_model(c, depth, windows)
    config = model.config
    rows = c.rows
    if c.cuda:
        most = most_rows(config, 1, 0.8 * rank_memory("cuda"), device_type="cuda")
        rows = 2 ** int(math.log2(max(1, min(c.rows, most))))
    per_token = flops_per_token(config)
    promised = c.machine["matmul_flops"] / per_token
    forecast = memory_per_rank(config, rows, 1, COMPUTE_DTYPE, c.device.type)["total"]
    if fp8:
        convert_to_fp8(model)
    forward, optimizer, (x, y) = compiled(c, model), model.setup_optimizer(), some_tokens(c, rows)

    def step():
        forward(x, y).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()
    took = c.seconds(step, c.steps)
    speed, memory = rows * c.T / took, torch.cuda.max_memory_allocated() if c.cuda else None
    forward(x, y).backward()
    optimizing = c.seconds(optimizer.step, 3)
    hidden = torch.randn(rows, c.T, config.n_embd, device=c.device, dtype=COMPUTE_DTYPE, requires_grad=True)
    head = c.seconds(lambda: torch.nn.functional.cross_entropy(
        model.lm_head.weight.to(hidden.dtype).matmul(hidden.flatten(0, 1).T).T.float(), y.flatten()).backward(), 2)
    each = {w: attention_seconds(c, config, rows, w) for w in set(window_sizes(config))}
    attending = sum(each[w] for w in window_sizes(config))  # of all layers
    mfu = speed * per_token / c.machine["matmul_flops"]
    c.add(name, "measured", f"{speed:,.0f} tokens/s, MFU {mfu:.1%} of the product's {promised:,.0f}; {rows} rows"
          + (f"; memory {memory / 1e9:.1f} GB, forecast {forecast / 1e9:.1f}" if memory else "")
          + f"; attention alone {attending / took:.0%}, optimizer {optimizing / took:.0%}, plain head and loss "
          f"{head / took:.0%} of a step",
          tokens_per_second=speed, promised=promised, mfu=mfu, rows=rows, memory=memory, forecast=forecast,
          attention=attending / took, optimizer=optimizing / took, head=head / took)
    c.machine.setdefault("tokens_per_second", speed)


def attention_seconds(c: Check, config: GPTConfig, rows: int, window: tuple[int, int]) -> float:
    """Forward and backward of one layer's attention."""
    size = (rows, c.T, config.n_head, config.n_embd // config.n_head)
    q, k, v = (torch.randn(size, device=c.device, dtype=COMPUTE_DTYPE, requires_grad=True) for _ in range(3))
    return c.seconds(lambda: flash_attn_func(q, k, v, True, window).sum().backward(), 3)


def attention_speed(c: Check) -> None:
    """Each rung at the shape of the model, one layer."""
    config = new_model(c, c.depth).config
    rows = min(8, c.rows)
    for name, problem in rungs(c).items():
        if problem:
            continue
        with_rung(name)
        parts = []
        for window in sorted(set(window_sizes(config))):
            seen = min(window[0], c.T)
            flops = 12 * config.n_embd * rows * c.T * seen  # as the course counts: 12 * channels * window a token
            took = attention_seconds(c, config, rows, window)
            rate = flops / took / c.machine["matmul_flops"]
            parts.append(f"window {seen:,}: {1e3 * took:.2f} ms, {rate:.1%} of the product's rate")
        c.add(f"attention {name}: one layer", "measured", "; ".join(parts))
        with_rung("")


@torch.inference_mode()
def decode_seconds(c: Check, way, rows: int) -> tuple[float, float]:
    """Seconds for reading the prompts, and for each token after them; the host waits for nothing in between."""
    ids = torch.randint(c.vocab, (rows, c.prompt), device=c.device)
    cache = engine.cache_for(way, rows, c.prompt + c.new + 1)
    start = c.clock()
    token = way(ids, kv_cache=cache)[:, -1:].argmax(-1)
    read = c.clock() - start
    start = c.clock()
    for _ in range(c.new):
        token = way(token, kv_cache=cache)[:, -1:].argmax(-1)
    return read, (c.clock() - start) / c.new


def static_batch(way, rows: int, prompt: torch.Tensor, length: int):
    """A batch of one text many times, ready for its first step; on a GPU its step is recorded."""
    batch, read = engine.StaticBatch(way, rows, length), engine.cache_for(way, 1, prompt.size(1))
    logits = way(prompt, kv_cache=read)[:, -1]
    for i in range(rows):
        batch.admit(engine.Row(i, []), logits, read)
    return batch


@torch.inference_mode()
def graph_seconds(c: Check, way, rows: int) -> tuple[float, float]:
    """Seconds for making a static batch, its prompt read once, and for each token after it."""
    prompt, start = torch.randint(c.vocab, (1, c.prompt), device=c.device), c.clock()
    batch = static_batch(way, rows, prompt, c.prompt + c.new + 1)
    made = c.clock() - start
    tokens, start = batch.logits.argmax(-1).tolist(), c.clock()
    for _ in range(c.new):
        batch.forward(way, tokens)
        tokens = batch.logits.argmax(-1).tolist()
    return made, (c.clock() - start) / c.new


@torch.inference_mode()
def graph_check(c: Check, way) -> None:
    """The static step against the ordinary one on the same tokens."""
    ids, rows = torch.randint(c.vocab, (1, c.prompt + 4), device=c.device), 3
    batch, worst = static_batch(way, rows, ids[:, : c.prompt], c.prompt + 5), 0.0
    cache = engine.cache_for(way, 1, c.prompt + 4)
    way(ids[:, : c.prompt], kv_cache=cache)
    for t in range(c.prompt, c.prompt + 4):
        batch.forward(way, [int(ids[0, t])] * rows)
        right = way(ids[:, t : t + 1], kv_cache=cache)[:, -1]
        worst = max(worst, ((batch.logits - right).norm() / right.norm() / rows**0.5).item())
    c.verdict("decode, static step against ordinary", worst, 1e-4 if way.compute_dtype == torch.float32 else 0.05,
              "recorded, scores differ by " if batch.graph else "not recorded, scores differ by ")


def inference(c: Check) -> None:
    """Prefill and decode, beside what the copy promises: a token cannot be written faster than the weights are read."""
    free()
    model = new_model(c, c.depth).eval()
    counts, config = model.num_scaling_params(), model.config
    matrices = (counts["transformer_matrices"] + counts["lm_head"]) * COMPUTE_DTYPE.itemsize
    for p in model.parameters():
        if p.ndim == 2:  # the initial weights let no layer speak
            torch.nn.init.normal_(p, std=0.5 * p.size(1) ** -0.5)
    way = engine.Prepared(model)
    graph_check(c, way)
    for name, seconds in (("eager", decode_seconds), ("CUDA graph" if c.cuda else "static", graph_seconds)):
        for rows in c.batches:
            kept = sum(min(w[0], c.prompt + c.new // 2) for w in window_sizes(config))
            read = matrices + rows * kept * 2 * config.kv_dim * COMPUTE_DTYPE.itemsize
            seconds(c, way, rows)
            first, each = seconds(c, way, rows)
            promised = read / c.machine["copy_bytes"]
            c.add(f"decode, {name}, {rows} rows", "measured",
                  f"{rows / each:,.0f} tokens/s, MBU {promised / each:.1%} (promised {rows / promised:,.0f}); "
                  + (f"prefill {rows * c.prompt / first:,.0f} tokens/s" if name == "eager" else
                     f"ready after {first:.2g} s"), tokens_per_second=rows / each, mbu=promised / each,
                  promised=rows / promised, first=first, rows=rows)
    free()


@torch.inference_mode()
def core(c: Check, folder: str) -> None:
    """CORE's questions in batches and one by one: the same answers, apart from ties."""
    try:
        tasks = read_bundle(folder) if folder else read_bundle(wheel_bundle())
        tokenizer = get_tokenizer()
    except UserError as e:
        return c.add("CORE, batched against one by one", "not here", f"{e}")
    c.vocab = tokenizer.get_vocab_size()
    model = new_model(c, c.depth, T=c.T).eval()
    tasks = [shuffled(task, c.core) for task in tasks]
    questions = [ask(tokenizer, task, i, c.T) for task in tasks for i in range(len(task.rows))]
    start = c.clock()
    batched = score_questions(model, questions, 65536 if c.cuda else 4096)
    together = c.clock() - start
    alone, start = [], c.clock()
    for question in questions:
        alone.append(score_one(model, question))
        if c.clock() - start > c.left / 3:
            break
    apart = (c.clock() - start) / len(alone) * len(questions)
    wrong = 0
    for a, b in zip(alone, batched):
        ours, theirs = [s.loss for s in a], [s.loss for s in b]
        i, j = prediction(ours), prediction(theirs)
        wrong += i != j and abs(ours[i] - ours[j]) > 0.02  # closer than that is a tie in 16 bits
    c.verdict(f"CORE, batched against one by one ({len(alone):,} questions)", wrong, 0, "different answers: ")
    c.add("CORE, seconds", "measured", f"{together:.1f} in batches, {apart:.1f} one by one: "
          f"{apart / together:.1f} times", batched=together, one_by_one=apart)


def stage(module: str, *arguments: str, env: dict, timeout: float) -> None:
    """Runs a stage of the course; raises with its last line if it fails."""
    done = subprocess.run([sys.executable, "-m", f"nanochat.scripts.{module}", *arguments], env=env, timeout=timeout,
                          capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{module}: {(done.stderr.strip() or done.stdout.strip() or 'no message').splitlines()[-1]}")


def short_run(c: Check) -> None:
    """A real run for as long as there is time, at most two and a half minutes."""
    name = f"short run d{c.depth}"
    if c.cuda and c.left < 100:
        return c.add(name, "skipped", "no time left")
    home, source = get_base_dir(), "climbmix" if available("climbmix") else "tinyworld"
    env = dict(os.environ)
    if not (is_complete(home / "tokenizer") and available(source)):  # nothing is at hand: text of its own, apart
        home, source = home / "gpucheck", "tinyworld"
        env["NANOCHAT_BASE_DIR"] = str(home)
        stage("dataset", "--source=tinyworld", f"--chars={c.chars}", env=env, timeout=max(60, c.left))
        stage("tok_train", f"--vocab-size={c.run_vocab}", env=env, timeout=max(60, c.left))
    batch = 2**19 if c.cuda else 2 * c.T
    seconds = min(c.run_seconds, c.left - 80) if c.cuda else c.run_seconds  # it compiles first
    steps = max(4, min(400, int(seconds * c.machine.get("tokens_per_second", 0) / batch)))
    stage("base_train", f"--depth={c.depth}", f"--max-seq-len={c.T}", f"--source={source}", "--model-tag=gpucheck",
          f"--device-type={c.device.type}", f"--num-iterations={steps}", f"--total-batch-size={batch}",
          "--eval-every=-1", f"--eval-tokens={4 * batch}", "--resume=never", env=env, timeout=max(60, c.left))
    folder = home / "base_checkpoints" / "gpucheck"
    done, lines = is_complete(folder), [json.loads(x) for x in (folder / "train_log.jsonl").read_text().splitlines()]
    losses = [x["loss"] for x in lines if "loss" in x]
    bpb = done["evaluation"][f"{source}_bpb"]
    good = math.isfinite(bpb) and losses[-1] < losses[0]
    c.add(name, "ok" if good else "FAILED",
          f"{steps} steps of {batch:,} tokens of {source} in {done['seconds']:.0f} s: loss {losses[0]:.2f} to "
          f"{losses[-1]:.2f}, {bpb:.4f} bits per byte", loss=losses, bpb=bpb, seconds=done["seconds"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--scale", default="full", choices=list(SCALES))
    parser.add_argument("--minutes", type=float, default=9, help="what does not fit into them is skipped")
    parser.add_argument("--core-dir", default="", help="a bundle of CORE's form; empty: from the package index")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file")
    args = parser.parse_args()
    c = Check(compute_init(args.device)[-1], args.scale, args.minutes)
    parts = [("machine", machine), ("attention", equivalence), ("training step", one_step), ("fp8", fp8_losses),
             ("attention, speed", attention_speed),
             ("training", lambda c: throughput(c, c.depth, "SSSL", False)),
             ("training, fp8", lambda c: throughput(c, c.depth, "SSSL", True)),
             ("inference", inference), ("CORE", lambda c: core(c, args.core_dir)), ("short run", short_run),
             ("training, long windows", lambda c: throughput(c, c.depth, "L", False)),
             ("training, deeper", lambda c: throughput(c, c.deep, "SSSL", False) if c.deep else None)]
    for name, part in parts:
        try:
            part(c)
        except Exception as e:  # the other parts are still worth their time
            if not isinstance(e, UserError):
                traceback.print_exc()
            c.add(name, "FAILED", f"{type(e).__name__}: {' '.join(str(e).split())[:300]}")
        write_json(args.out, dict(machine=c.machine, scale=args.scale, device=args.device, results=c.results))
    failed = sum(row["status"] == "FAILED" for row in c.results)
    print(f"{sum(row['status'] == 'ok' for row in c.results)} checks passed, {failed} failed; "
          f"{sum(row['status'] in ('skipped', 'not here') for row in c.results)} not done; {args.out}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
