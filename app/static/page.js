// The page at /: ask, read the answer with its sources, re-check the citations, add documents.
const $ = (id) => document.getElementById(id);
let key = sessionStorage.getItem("key") ?? "";
let last = null; // the newest answer, as `verify` takes it

async function call(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { authorization: `Bearer ${key}`, ...options.headers } });
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    throw Object.assign(new Error(body.message ?? `The service answered ${response.status}.`), { status: response.status });
  }
  return response;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function tell(error) {
  $("error").textContent = error?.message ?? "";
  $("error").hidden = !error;
}

async function enter() {
  $("sign-in").hidden = Boolean(key);
  if (!key) return $("key").focus();
  try {
    const repositories = await (await call("/v1/repositories")).json();
    sessionStorage.setItem("key", key);
    $("repositories").replaceChildren(...repositories.map((each) => element("label", {},
      element("input", { type: "checkbox", value: each.id, checked: true, name: "repository" }), ` ${each.name} (${each.document_count})`)));
    $("target").replaceChildren(...repositories.map((each) => element("option", { value: each.id }, each.name)),
      element("option", { value: "" }, "a new repository"));
    $("sign-in").hidden = true;
    $("desk").hidden = false;
    $("question").focus();
  } catch (error) {
    $("sign-in").hidden = false;
    $("desk").hidden = true;
    if (key && error.status === 401) $("key").setCustomValidity(error.message), $("key").reportValidity();
  }
}

// The events of a stream: each has a name and one line of data.
async function* events(response) {
  let buffer = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    buffer += piece;
    const parts = buffer.split("\n\n");
    buffer = parts.pop();
    for (const part of parts) {
      const data = /^data: (\{.*)$/m.exec(part)?.[1];
      if (data) yield { name: /^event: (\w+)/m.exec(part)?.[1], data: JSON.parse(data) };
    }
  }
}

async function ask(event) {
  event.preventDefault();
  tell(null);
  $("send").disabled = true;
  $("sources").hidden = true;
  $("answer").replaceChildren();
  $("answer").hidden = false;
  let text = "";
  try {
    const ids = [...document.querySelectorAll("input[name=repository]:checked")].map((each) => Number(each.value));
    const response = await call("/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({
        model: "default", stream: true, messages: [{ role: "user", content: $("question").value }],
        repositories: { ids, limit: Number($("limit").value), similarity_threshold: Number($("threshold").value) },
      }),
    });
    for await (const { name, data } of events(response)) {
      if (name === "error") throw new Error(data.message);
      text += data.choices[0]?.delta.content ?? "";
      $("answer").textContent = text;
      if (data.document_chunks) finish(text, data);
    }
  } catch (error) {
    $("answer").hidden = !text;
    tell(error);
  } finally {
    $("send").disabled = false;
  }
}

function finish(text, data) {
  last = { answer: text, citations: data.citations, document_chunks: data.document_chunks };
  $("answer").replaceChildren(...text.split(/(\[\d+\])/).map((part) =>
    /^\[\d+\]$/.test(part) ? element("a", { className: "marker", href: `#source-${part.slice(1, -1)}` }, part) : part));
  const chunks = data.document_chunks;
  const check = element("button", { className: "small", onclick: () => verify(check) }, "Re-check every citation");
  const found = data.retrieval;
  const none = found && `Nothing similar enough: the best of ${found.considered} passages scored ${(found.best_score ?? 0).toFixed(2)}.`;
  $("sources").replaceChildren(...(chunks.length ? [check] : [element("p", { className: "score" }, none ?? "")]), ...chunks.map(source));
  $("sources").hidden = false;
}

function source(chunk) {
  const quotes = last.citations.filter((each) => each.marker === chunk.marker && each.quote);
  const place = [chunk.page && `page ${chunk.page}`, ...(chunk.heading_path ?? []).slice(-1)].filter(Boolean).join(", ");
  const verdicts = [...new Set(quotes.map((each) => each.verdict))].join(", ");
  return element("div", { id: `source-${chunk.marker}`, className: chunk.cited ? "cited" : "" },
    element("h3", {}, `[${chunk.marker}] ${chunk.document_name}`,
      element("span", { className: "score" }, `${place} · similarity ${chunk.similarity_score.toFixed(2)} ${verdicts && "· " + verdicts}`)),
    element("blockquote", {}, ...marked(chunk, quotes)));
}

// The chunk's text with what the answer quotes of it marked; offsets count code points, JavaScript's strings do not.
function marked(chunk, quotes) {
  const letters = Array.from(chunk.content);
  const inside = letters.map((_, at) => quotes.some((each) => each.start <= chunk.start + at && chunk.start + at < each.end));
  const parts = [];
  for (let at = 0; at < letters.length;) {
    let end = at;
    while (end < letters.length && inside[end] === inside[at]) end++;
    const text = letters.slice(at, end).join("");
    parts.push(inside[at] ? element("mark", {}, text) : text);
    at = end;
  }
  return parts;
}

async function verify(button) {
  button.disabled = true;
  try {
    const body = await (await call("/v1/citations/verify", { method: "POST", body: JSON.stringify(last) })).json();
    const failing = body.results.filter((each) => !each.valid);
    button.after(element("span", { className: `score ${body.valid ? "holds" : "fails"}` },
      body.valid ? ` all ${body.results.length} hold` : ` ${failing.length} do not hold: ${failing[0].reason}`));
  } catch (error) {
    tell(error);
  }
}

async function upload(event) {
  event.preventDefault();
  tell(null);
  try {
    let target = $("target").value;
    if (!target) {
      const body = JSON.stringify({ name: prompt("Name of the new repository") || "New repository" });
      target = (await (await call("/v1/repositories", { method: "POST", body, headers: { "content-type": "application/json" } })).json()).id;
    }
    const form = new FormData();
    for (const file of $("files").files) form.append("file", file);
    const result = await (await call(`/v1/repositories/${target}/documents`, { method: "POST", body: form })).json();
    for (const refused of result.refused) $("jobs").append(element("li", { className: "fails" }, `${refused.name}: ${refused.error}`));
    await Promise.all(result.documents.map(watch));
    await enter();
  } catch (error) {
    tell(error);
  }
}

async function watch(uploaded) {
  const bar = element("progress");
  const state = element("span", { className: "score" }, uploaded.unchanged ? "was here already" : "queued");
  $("jobs").append(element("li", {}, uploaded.name, bar, state));
  for await (const { data } of events(await call(`/v1/jobs/${uploaded.job.id}/events`))) {
    if (data.total) Object.assign(bar, { max: data.total, value: data.done });
    state.textContent = data.error ?? (data.state === "running" ? `${data.stage} ${data.done}/${data.total ?? "?"}` : data.state);
    state.className = data.state === "failed" ? "fails" : "score";
  }
  bar.remove();
}

$("sign-in").addEventListener("submit", (event) => { event.preventDefault(); key = $("key").value.trim(); enter(); });
$("key").addEventListener("input", () => $("key").setCustomValidity(""));
$("ask").addEventListener("submit", ask);
$("upload").addEventListener("submit", upload);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) { event.preventDefault(); $("question").focus(); }
});
enter();
