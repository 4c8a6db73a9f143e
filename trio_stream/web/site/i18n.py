"""The languages of the server's own pages, and their messages.

The language of a request is the one the user chose, else the first in `Accept-Language` that we have, else English. The
player follows the same rule and shares the cookie (`player/src/i18n`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from quart import Response, request

LANGUAGES: Final = {"en": "English", "pt-BR": "Português (Brasil)"}
ENGLISH, PORTUGUESE = LANGUAGES

COOKIE = "trio-stream-language"
PARAMETER = "lang"
VARY = "Accept-Language, Cookie"
"""What a response in one of several languages depends on, besides its URL."""

_YEAR = 31_536_000

MESSAGES: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "pages": "Pages",
        "language": "Language",
        "library": "Library",
        "skip": "Skip to content",
        "contents": "Contents",
        "reference": "Reference",
        "schemas": "Schemas",
        "schemas.about": "All fields are present unless marked optional. Problems may have additional fields.",
        "problems": "Problems",
        "problems.about": "The `type` of every problem document links here.",
        "problems.operator": "for the operator",
        "heading": "The {title} API",
        "version": "Version",
        "examples": "examples use {example}",
        "untranslated": "",
        "parameters": "Parameters",
        "body": "Body",
        "responses": "Responses",
        "optional": "optional",
        "required": "required",
        "path": "path",
        "query": "query",
        "header": "header",
        "or": "or",
        "null": "null",
        "list": "list of {items}",
        "anything": "anything",
        "socket.client": "Client messages",
        "socket.server": "Server messages",
        "socket.bytes": "and the bytes",
        "socket.conversation": "Example with `{subprotocol}`",
        "socket.handshake": "Handshake responses",
        "socket.close": "Close codes",
        "notOpen": "This server is not open to other devices",
        "notOpen.why": "Right now, it plays videos only on the computer that it runs on.",
        "notOpen.how": (
            "If this is your server, you can let everybody who reaches it view all videos. "
            "Set this where you start it, then restart it:"
        ),
        "notOpen.guests": "Guests can watch, but they cannot change anything or see who else is watching.",
        "unbuilt": "The player is not built yet",
        "unbuilt.api": "The server and [its API] work.",
        "unbuilt.build": "To build the player, run this in the repository folder, then restart the server:",
        "unbuilt.node": (
            "You do not need Node. `scripts/serve` builds the player and starts the server in one step, "
            "and a wheel (`pip wheel --no-deps .`) includes the player."
        ),
    },
    PORTUGUESE: {
        "pages": "Páginas",
        "language": "Idioma",
        "library": "Biblioteca",
        "skip": "Ir para o conteúdo",
        "contents": "Índice",
        "reference": "Referência",
        "schemas": "Esquemas",
        "schemas.about": (
            "Todos os campos estão presentes, exceto os marcados como opcionais. Os problemas podem ter "
            "outros campos."
        ),
        "problems": "Problemas",
        "problems.about": "O `type` de todo documento de problema aponta para cá.",
        "problems.operator": "para o operador",
        "heading": "API do {title}",
        "version": "Versão",
        "examples": "os exemplos usam {example}",
        "untranslated": "As descrições de campos, parâmetros e respostas estão em inglês.",
        "parameters": "Parâmetros",
        "body": "Corpo",
        "responses": "Respostas",
        "optional": "opcional",
        "required": "obrigatório",
        "path": "caminho",
        "query": "consulta",
        "header": "cabeçalho",
        "or": "ou",
        "null": "null",
        "list": "lista de {items}",
        "anything": "qualquer valor",
        "socket.client": "Mensagens do cliente",
        "socket.server": "Mensagens do servidor",
        "socket.bytes": "e os bytes",
        "socket.conversation": "Exemplo com `{subprotocol}`",
        "socket.handshake": "Respostas ao handshake",
        "socket.close": "Códigos de fechamento",
        "notOpen": "Este servidor não está aberto a outros aparelhos",
        "notOpen.why": "No momento, ele só reproduz vídeos no computador em que está rodando.",
        "notOpen.how": (
            "Se o servidor é seu, você pode deixar todos que o acessam verem todos os vídeos. "
            "Defina isto onde você o inicia e reinicie-o:"
        ),
        "notOpen.guests": "Os convidados podem assistir, mas não podem mudar nada nem ver quem mais está assistindo.",
        "unbuilt": "O player ainda não foi compilado",
        "unbuilt.api": "O servidor e [a API] estão funcionando.",
        "unbuilt.build": "Para compilar o player, execute isto na pasta do repositório e reinicie o servidor:",
        "unbuilt.node": (
            "Não é preciso ter o Node. `scripts/serve` compila o player e inicia o servidor de uma só vez, "
            "e um wheel (`pip wheel --no-deps .`) já inclui o player."
        ),
    },
}


def preferred(tags: Iterable[str]) -> str:
    """The first language in `tags` that we have, else English. Any Portuguese selects Brazilian Portuguese."""
    for tag in tags:
        match tag.lower().split("-")[0]:
            case "pt":
                return PORTUGUESE
            case "en":
                return ENGLISH
    return ENGLISH


def requested_language() -> str:
    """The language of the current request."""
    for chosen in (request.args.get(PARAMETER), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return preferred(tag for tag, quality in request.accept_languages if quality > 0)


def store_choice(response: Response) -> Response:
    """Store the language that the query chooses, if any, so that other pages use it too."""
    chosen = request.args.get(PARAMETER)
    if chosen in LANGUAGES:
        # The player reads it, too, so it is not HttpOnly.
        response.set_cookie(COOKIE, chosen, max_age=_YEAR, path="/", samesite="Lax")
    return response
