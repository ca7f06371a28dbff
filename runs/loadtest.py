"""What a running server bears: many clients at once, beside one alone.

    python -m nanochat.scripts.chat_web &
    python runs/loadtest.py --clients=32 --seconds=60

Each client asks, reads the stream to its end, asks again; after 429 it waits as long as it is told. The last line is
JSON. The exit status is 1 if there was any error but 429.
"""
import argparse
import asyncio
import json
import subprocess
import sys
import time

import httpx


async def ask(http: httpx.AsyncClient, url: str, question: str, max_tokens: int) -> tuple[int, float, int]:
    """One answer: status, seconds to the first text, tokens."""
    body = {"messages": [{"role": "user", "content": question}], "stream": True, "max_tokens": max_tokens,
            "stream_options": {"include_usage": True}}
    start, first, tokens = time.perf_counter(), 0.0, 0
    async with http.stream("POST", f"{url}/v1/chat/completions", json=body) as reply:
        if reply.status_code != 200:
            await asyncio.sleep(float(reply.headers.get("retry-after", 0)))
            return reply.status_code, 0.0, 0
        async for line in reply.aiter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line[6:])
            if "error" in event:
                return 500, 0.0, 0
            if event["choices"] and event["choices"][0]["delta"].get("content") and not first:
                first = time.perf_counter() - start
            if event["usage"]:
                tokens = event["usage"]["completion_tokens"]
    return 200, first, tokens


async def client(http, url, until, number, max_tokens, results) -> None:
    """Asks until the time is over."""
    turn = 0
    while time.perf_counter() < until:
        turn += 1
        try:
            results.append(await ask(http, url, f"Tell me a story. ({number}, {turn})", max_tokens))
        except httpx.HTTPError as e:
            results.append((type(e).__name__, 0.0, 0))


def memory_mb(pid: int) -> float | None:
    """The resident memory of a process."""
    if not pid:
        return None
    out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return int(out) / 1000 if out else None


async def scene(url: str, clients: int, seconds: float, max_tokens: int, pid: int) -> dict:
    """Some clients for some seconds."""
    results, start, memory = [], time.perf_counter(), [memory_mb(pid)]
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(timeout=120, limits=limits) as http:
        tasks = [client(http, url, start + seconds, i, max_tokens, results) for i in range(clients)]
        await asyncio.gather(*tasks)
    took, statuses = time.perf_counter() - start, {}
    for status, _, _ in results:
        statuses[str(status)] = statuses.get(str(status), 0) + 1
    waits = sorted(first for status, first, _ in results if status == 200 and first)
    memory.append(memory_mb(pid))
    return {"clients": clients, "seconds": round(took, 1), "statuses": statuses,
            "tokens_s": round(sum(tokens for _, _, tokens in results) / took, 1),
            "first_token_s": {share: round(waits[len(waits) * share // 100], 3) for share in (50, 95)} if waits else {},
            "memory_mb": memory}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--clients", default="1,8,32", help="numbers of clients, one scene each")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each scene")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--pid", type=int, default=0, help="of the server, to watch its memory")
    args = parser.parse_args()
    scenes = []
    for clients in [int(n) for n in args.clients.split(",")]:
        scenes.append(asyncio.run(scene(args.url, clients, args.seconds, args.max_tokens, args.pid)))
        gain = scenes[-1]["tokens_s"] / max(scenes[0]["tokens_s"], 0.1)
        print({**scenes[-1], "times the first scene": round(gain, 1)}, flush=True)
    stats = httpx.get(f"{args.url}/stats").json()
    print(json.dumps({"scenes": scenes, "stats": stats}))
    bad = [status for one in scenes for status in one["statuses"] if status not in ("200", "429")]
    return bool(bad or stats["rows"])


if __name__ == "__main__":
    sys.exit(main())
