SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  layout: "BaseLayout",
});

// the database says whether its numbers are invented; without an answer there are no numbers to mark
fetch("history?limit=1")
  .then((response) => (response.ok ? response.json() : null))
  .then((body) => {
    if (body?.freshness.sample) {
      document.title = `Sample data: ${document.title}`;
      document.getElementById("sample").hidden = false;
    }
  });
