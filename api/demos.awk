# demos.awk - example programs as C: a demo each, with what their first comment
# says as title and description. ${NAME:-default} stands for its default.
function quote(text) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  return "\"" text "\\n\"\n"
}
function fill(text,  before, inner) {
  while (match(text, /[$][{][A-Z]+:-[^}]*[}]/)) {
    inner = substr(text, RSTART + 2, RLENGTH - 3)
    before = substr(text, 1, RSTART - 1)
    text = before substr(inner, index(inner, ":-") + 2) substr(text, RSTART + RLENGTH)
  }
  return text
}
function finish() {
  if (name == "") return
  title = comment
  sub(/[.:;].*/, "", title)
  gsub(/\\/, "\\\\", comment); gsub(/"/, "\\\"", comment)
  gsub(/"/, "\\\"", title)
  printf "{\"%s\", \"%s\", \"%s\",\n%s},\n", name, title, comment, code
}
FNR == 1 {
  finish()
  name = FILENAME
  sub(/.*\//, "", name); sub(/[.]sql$/, "", name)
  comment = ""; code = ""; heading = 1
}
heading && !/^-- / { heading = 0 }
heading { comment = comment (comment == "" ? "" : " ") substr($0, 4) }
{ code = code quote(fill($0)) }
END { finish() }
