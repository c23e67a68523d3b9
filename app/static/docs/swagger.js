document.querySelector('.docs-bar a[href="/docs"]').setAttribute("aria-current", "page");
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger", persistAuthorization: true, docExpansion: "list" });
