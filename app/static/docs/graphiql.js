document.querySelector('.docs-bar a[href="/graphql"]').setAttribute("aria-current", "page");

const EXAMPLE = `# What no document answers,
# asked most first.
# Type an API key above, then press Ctrl-Enter.
query Gaps {
  todos(completed: false, order: MOST_ASKED) {
    id
    title
    completed
    createdAt
    asked
    nearMisses {
      documentName
      score
      content
    }
  }
}
`;

// The key is kept as the page at / keeps it: for this tab only.
const field = document.getElementById("key");
field.value = sessionStorage.getItem("key") ?? "";
field.addEventListener("input", () => sessionStorage.setItem("key", field.value));
document.getElementById("key-form").addEventListener("submit", (event) => event.preventDefault());

async function fetcher(request) {
  const key = field.value.trim();
  if (key === "") {
    return { errors: [{ message: "Type an API key into the field at the top right." }] };
  }
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify(request),
  });
  return response.json();
}

// The schema is read when there is a key to read it with.
const root = ReactDOM.createRoot(document.getElementById("graphiql"));
function show() {
  root.render(
    React.createElement(GraphiQL, {
      key: field.value === "" ? "without" : "with",
      fetcher,
      defaultQuery: EXAMPLE,
      defaultEditorToolsVisibility: false,
      schema: field.value === "" ? null : undefined,
    }),
  );
}
field.addEventListener("change", show);
show();
