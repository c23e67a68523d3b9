document.querySelector('.docs-bar a[href="/redoc"]').setAttribute("aria-current", "page");
const own = "system-ui, sans-serif"; // ReDoc's own fonts would come from outside
Redoc.init(
  "/openapi.json",
  {
    disableSearch: false,
    hideDownloadButton: false,
    theme: { typography: { fontFamily: own, headings: { fontFamily: own } } },
  },
  document.getElementById("redoc"),
);
