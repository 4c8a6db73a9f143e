"""The API reference in Brazilian Portuguese, by tag, operation id and problem code.

It has everything except the descriptions of fields, parameters and responses. The English texts are where the
operations are declared (`web/api`).
"""

from typing import Final, NamedTuple


class Text(NamedTuple):
    """A heading and its description, or the meaning of a problem and its remedy."""

    summary: str
    description: str = ""


INTRODUCTION: Final = """\
Um servidor de streaming de vídeo: os vídeos de uma pasta, por HTTP com intervalos de bytes e por WebSocket.

Toda rota `GET` também aceita `HEAD`, sem o corpo. Todo erro é um documento de problema (RFC 9457), cujo `code`
nunca muda de significado. Páginas de outros sites podem usar a API se o operador permitir a origem delas.

O servidor só atende a máquina em que está rodando, a menos que o operador deixe todos assistirem. O `x-verb` de uma
operação é o que quem envia a requisição precisa poder fazer: `GET /api/me` diz o que você pode. Uma operação sem ele
pode ser chamada por qualquer um. Senão, o status é 403.

Um nome em um caminho mantém as barras e usa percent-encoding no restante; `/api/videos` já traz os caminhos
prontos.

Um vídeo tem um id, que continua o mesmo quando o arquivo é renomeado ou movido, e uma revisão, que muda com os
bytes. Datas e horas estão em ISO 8601, em UTC; posições e durações, em segundos; o que é desconhecido é `null`.

Campos do corpo que não estão descritos são recusados, assim como valores inválidos. Parâmetros de consulta que
não estão descritos são ignorados; se um parâmetro se repete, vale o primeiro. O corpo é lido como JSON, seja
qual for o `Content-Type`. Versões futuras podem devolver outros campos: ignore os que você não conhece.

Uma lista é paginada quando `limit` ou `cursor` é enviado: `next` é o cursor da próxima página, ou `null` no
fim. O que é adicionado ou removido entre duas páginas não afeta os outros itens."""

TAGS: Final[dict[str, Text]] = {
    "Videos": Text("Vídeos", "Os vídeos, suas informações e seus bytes."),
    "Watch state": Text("Progresso", "Onde você parou e o que já assistiu."),
    "Library": Text("Biblioteca", "A varredura da pasta e as tarefas em segundo plano."),
    "Streams": Text("Transmissões", "As transmissões em andamento."),
    "Access": Text("Acesso", "Quem você é e o que pode fazer."),
    "Health and metrics": Text("Saúde e métricas", "Para monitorar o servidor."),
    "Pages": Text("Páginas", "As páginas para navegadores e esta descrição."),
}

_VERSIONS = "As `versions` de um título também são renditions, se os quadros-chave coincidirem com os do vídeo pedido."

OPERATIONS: Final[dict[str, Text]] = {
    "listVideos": Text(
        "Listar os vídeos da biblioteca",
        "Sem parâmetros, a resposta traz os nomes e os primeiros itens, como a pasta está naquele momento, "
        "sem ids. Os arquivos são reconhecidos pela extensão; arquivos ocultos são ignorados. Com mais de "
        "10.000 nomes, `next` é o cursor da página que vem depois do último.\n\n"
        "Com qualquer um destes parâmetros, a resposta é uma página da biblioteca, onde um arquivo novo "
        "aparece depois de dois segundos sem mudanças. Um título com vários arquivos aparece uma vez: são "
        "arquivos de uma mesma pasta cujos nomes diferem só na resolução (`Film.1080p.mp4`, "
        "`Film.720p.mp4`), ou os que um arquivo de título ao lado deles lista (`Film.title.toml`). Os outros "
        "são as `versions` dele.",
    ),
    "showVideo": Text("Consultar um vídeo"),
    "editVideo": Text(
        "Alterar título, descrição ou etiquetas",
        "O que não é enviado fica como está. As alterações acompanham o vídeo quando o arquivo é renomeado; "
        "nada é gravado no arquivo.",
    ),
    "listFolders": Text("Listar as pastas de uma pasta"),
    "videoFile": Text("Transmitir o arquivo de um vídeo pelo id"),
    "library": Text(
        "Consultar o estado da biblioteca",
        "O número de vídeos e o andamento das varreduras e das tarefas em segundo plano.",
    ),
    "scan": Text(
        "Iniciar uma varredura",
        "As mudanças na pasta são detectadas automaticamente; use isto onde elas não são.",
    ),
    "followScan": Text(
        "Acompanhar varreduras e tarefas em segundo plano",
        "Server-sent events, até o cliente ou o servidor encerrar: `progress` no início e a cada mudança, "
        "com dados `Progress` em JSON. Após 15 segundos sem eventos, é enviado um comentário.",
    ),
    "streamVideo": Text("Transmitir o arquivo de um vídeo"),
    "streamVideoRange": Text("Transmitir o arquivo de um vídeo (outro caminho)"),
    "listStreams": Text("Listar as transmissões em andamento"),
    "endStream": Text("Encerrar uma transmissão"),
    "derivedFile": Text(
        "Consultar um arquivo derivado",
        "Pôsteres, folhas de miniaturas com sua trilha WebVTT, e legendas. Use os endereços que vêm com o "
        "vídeo: cada um corresponde a estes bytes e a nenhum outro, e responde 404 quando os bytes do vídeo "
        "mudam. Estes arquivos não contam para o limite de transmissões.",
    ),
    "playlist": Text(
        "Consultar uma playlist HLS",
        "`master` é a playlist de todas as renditions; as playlists de mídia que ela cita ficam na mesma pasta. "
        + _VERSIONS,
    ),
    "manifest": Text("Consultar o manifesto DASH", _VERSIONS),
    "segment": Text(
        "Consultar um segmento",
        "`init.mp4` é o segmento de inicialização; `N.m4s`, um segmento (a contagem começa em 0); `kN.m4s`, "
        "um quadro-chave isolado. Use os endereços de uma playlist: cada um corresponde a estes bytes e a "
        "nenhum outro, e responde 404 quando os bytes do vídeo ou as regras de segmentação mudam.",
    ),
    "textSegment": Text("Consultar um segmento de legendas", "As falas exibidas durante um segmento."),
    "presentation": Text(
        "Listar as faixas oferecidas e as omitidas",
        "As faixas deste arquivo que as playlists oferecem (`renditions`) e as que elas omitem (`omitted`), "
        "com o motivo: toda faixa de vídeo ou áudio está em uma das duas listas. Um arquivo que não pode ser "
        "transmitido em segmentos também responde 200: `reason` diz por quê, e `renditions` fica vazia. O "
        "resultado é calculado como para uma playlist, então a primeira vez pode demorar o mesmo tanto.",
    ),
    "putPlayhead": Text(
        "Salvar a posição em um vídeo",
        "Um vídeo conta como assistido a partir de 90%, e continua assim até você dizer o contrário; cada "
        "vez que se chega lá conta como uma reprodução. Basta salvar a cada dez segundos. As versões de um "
        "título têm uma só posição.",
    ),
    "deletePlayhead": Text("Apagar a posição em um vídeo"),
    "continueWatching": Text(
        "Listar os vídeos para continuar assistindo",
        "O que foi começado e não terminado; no lugar do que foi terminado, o próximo vídeo da pasta em "
        "ordem natural, a não ser que ele também já tenha sido começado ou assistido.",
    ),
    "history": Text(
        "Listar o histórico",
        "Quem volta a assistir em até meia hora continua na mesma sessão.",
    ),
    "deleteHistory": Text("Apagar o histórico"),
    "exportWatchState": Text(
        "Exportar todas as posições",
        "Os vídeos são identificados pelo nome e por impressões digitais dos bytes, pois os ids pertencem a "
        "um só servidor.",
    ),
    "importWatchState": Text(
        "Importar posições exportadas",
        "O que já existe e é mais novo permanece. Um vídeo é encontrado pelos bytes, seja qual for o nome "
        "atual, ou então pelo nome. Cada envio aceita até um megabyte; uma exportação maior pode ser "
        "dividida entre quaisquer duas entradas, e não há problema em importá-la duas vezes.",
    ),
    "metrics": Text("Consultar as métricas em JSON"),
    "metricsText": Text("Consultar as métricas para o Prometheus"),
    "live": Text(
        "Acompanhar as métricas ao vivo",
        "Server-sent events, até o cliente ou o servidor encerrar. Primeiro vem `history`, com dados "
        "`LiveHistory` em JSON; logo depois, e a cada segundo, `now`, com dados `LiveNow`: sua amostra é a "
        "seguinte às que você já tem. Um cliente lento perde algumas; os horários mostram quais.\n\n"
        "Tudo se refere ao processo que responde; um servidor com vários workers tem vários. Cada processo "
        "aceita até 64 clientes de eventos ao mesmo tempo.",
    ),
    "websocket": Text(
        "Transmitir um vídeo por WebSocket",
        "Todo cliente recebe os bytes como mensagens binárias, em ordem, e depois o código de fechamento "
        "1000. Um cliente que pede o subprotocolo `trio-stream.v1` também recebe mensagens de texto em JSON "
        "e pode enviar algumas. Sem ele, o que o cliente envia é ignorado.\n\n"
        "Um seek passa a valer entre duas mensagens binárias; um novo `start` separa os bytes anteriores dos "
        "seguintes. Um cliente que enviou 32 mensagens inválidas é desconectado.",
    ),
    "me": Text("Consultar o que você pode fazer"),
    "healthz": Text("O servidor responde?"),
    "readyz": Text("Tudo está funcionando?"),
    "docs": Text("Esta documentação", "Em inglês ou em português do Brasil, conforme o `Accept-Language`."),
    "openapi": Text("Esta descrição"),
    "asset": Text("Arquivos da documentação"),
    "home": Text("A biblioteca"),
    "watchPage": Text("Um vídeo"),
    "socketPage": Text("Um vídeo, por WebSocket"),
    "livePage": Text("A atividade do servidor"),
    "playerAsset": Text("Arquivos destas páginas"),
}

HEAD_ONLY: Final = Text("Só os cabeçalhos")
"""Every operation with the method `HEAD`."""

_RETRY = "Tente novamente após os segundos indicados em `Retry-After`."

PROBLEMS: Final[dict[str, Text]] = {
    "bad-request": Text("Uma entrada inválida.", "O detalhe diz o que seria válido."),
    "foreign-origin": Text(
        "Uma página de outro site pediu algo que só as nossas páginas, ou origens configuradas, podem pedir.",
        "Peça ao operador que adicione a origem a `TRIO_STREAM_CORS_ORIGINS`.",
    ),
    "not-open": Text(
        "Você está em outra máquina, e o servidor só atende a própria.",
        "O operador pode deixar todos assistirem com `TRIO_STREAM_ANONYMOUS=view`. O detalhe diz mais.",
    ),
    "not-allowed": Text(
        "Quem enviou a requisição não pode fazer isso.",
        "Faça isso na máquina em que o servidor está rodando.",
    ),
    "file-not-found": Text(
        "Não há esse arquivo derivado, playlist ou segmento do vídeo como ele está agora.",
        "Use os endereços de `/api/videos/{id}`, que são os atuais.",
    ),
    "stream-not-found": Text("Não há transmissão com esse id.", "Ela já terminou, o que dá no mesmo."),
    "video-not-found": Text(
        "Não há vídeo com esse nome; vale também para todo nome que não deve se distinguir de um "
        "inexistente.",
        "Use os nomes, ou melhor, as URLs prontas de `/api/videos`.",
    ),
    "not-found": Text("Não há nada neste caminho.", "Todos os caminhos estão listados acima."),
    "method-not-allowed": Text("O caminho está certo, mas o método não; `Allow` lista os permitidos."),
    "store-conflict": Text(
        "A alteração contradiz o que está no banco de dados.", "Consulte o estado atual e reveja a alteração."
    ),
    "precondition-failed": Text(
        "`If-Match` ou `If-Unmodified-Since` se refere a algo que mudou.",
        "Consulte novamente, sem a condição.",
    ),
    "request-entity-too-large": Text(
        "O corpo da requisição é maior do que o permitido.",
        "Envie menos de cada vez: uma exportação pode ser dividida entre quaisquer duas entradas.",
    ),
    "range-not-satisfiable": Text(
        "Nenhum byte da representação foi pedido (RFC 9110, seção 15.5.17).",
        "`Content-Range` traz o tamanho. No máximo 32 intervalos separados são enviados.",
    ),
    "wrong-host": Text(
        "O nome em `Host` não é deste servidor; nesse caso, nenhum caminho devolve outra coisa.",
        "Peça ao operador que adicione o nome a `TRIO_STREAM_HOSTS`.",
    ),
    "encrypted": Text(
        "Um vídeo criptografado: não há como enviá-lo de modo que alguém consiga reproduzi-lo."
    ),
    "media-unreadable": Text(
        "O conteúdo de um arquivo não pode ser lido como mídia, e não poderá enquanto o arquivo não mudar; a "
        "mensagem diz por quê.",
        "Reproduza o arquivo em outro programa: se funcionar, relate o problema; o detalhe diz o que está "
        "errado.",
    ),
    "segment-too-large": Text(
        "Um segmento teria mais bytes do que o limite. Nada está danificado: o arquivo tem tudo.",
        "Reproduza o próprio arquivo: o trecho entre dois quadros-chave excede o limite.",
    ),
    "unpackageable": Text(
        "Um vídeo que não pode ser transmitido em segmentos como está, mas talvez possa ser reproduzido; a "
        "mensagem diz por quê."
    ),
    "cannot-listen": Text(
        "Um endereço em que o servidor não consegue escutar, ou um certificado que ele não consegue usar; a "
        "mensagem diz qual."
    ),
    "client-gone": Text("O outro lado não está mais conectado.", "Não há mais a quem responder."),
    "client-stalled": Text(
        "O outro lado ficou sem receber nada por mais tempo do que o permitido.",
        "Aumente `TRIO_STREAM_SEND_TIMEOUT` se os clientes precisarem de mais tempo.",
    ),
    "data-in-use": Text(
        "Outro servidor ou comando está usando a pasta de dados.",
        "Pare o outro, ou defina outro `TRIO_STREAM_DATA` para este.",
    ),
    "internal-error": Text(
        "O servidor falhou.",
        "Veja o log do servidor; relate o problema se o log apontar o servidor como causa.",
    ),
    "source-changed": Text(
        "O arquivo de uma transmissão foi truncado ou reescrito durante o envio.",
        "Recomece: o que você recebeu é de um arquivo que não existe mais. Por HTTP, o corpo é interrompido.",
    ),
    "source-unreadable": Text(
        "O arquivo de uma transmissão não pôde mais ser lido (um erro do disco ou da rede).",
        "O disco ou a rede da biblioteca falhou. Por HTTP, o corpo é interrompido.",
    ),
    "store-damaged": Text(
        "O banco de dados está corrompido, ou não é um banco de dados; nada foi alterado nele.",
        "Restaure uma cópia do banco, ou mova-o para outro lugar, para começar com um vazio.",
    ),
    "store-error": Text("O banco de dados falhou.", "O log do servidor diz o que falhou."),
    "wrong-setting": Text(
        "Uma configuração inválida; a mensagem diz qual, com que valor, e o que seria válido.",
        "O servidor informa qual é ao ser iniciado, e não inicia.",
    ),
    "library-away": Text(
        "A pasta de vídeos não existe ou não pode ser lida, por exemplo porque o disco está desconectado.",
        "Verifique o disco dos vídeos; quando ele voltar, tudo estará como antes.",
    ),
    "media-worker-failed": Text(
        "Um arquivo não pôde ser examinado por um problema deste servidor: nada se sabe do arquivo. Tente "
        "mais tarde.",
        "Não há nada de errado com o arquivo: tente novamente; o log diz o que falhou.",
    ),
    "not-the-owner": Text(
        "O processo que grava os dados da biblioteca não está ativo agora; outro vai assumir.", _RETRY
    ),
    "store-unavailable": Text(
        "O banco de dados não pode ser usado agora: está bloqueado, inacessível ou sendo fechado.",
        f"{_RETRY} As transmissões continuam.",
    ),
    "store-unusable": Text(
        "O banco de dados não pode ser usado, por exemplo porque o disco está desconectado ou é somente "
        "leitura.",
        "Verifique o disco do banco e as permissões, como diz o detalhe; as transmissões continuam.",
    ),
    "too-many-files": Text("O servidor está com o máximo de arquivos e conexões abertos.", _RETRY),
    "too-many-listeners": Text(
        "O máximo de clientes já está acompanhando server-sent events.",
        f"Feche as páginas que ninguém está vendo. {_RETRY}",
    ),
    "too-many-streams": Text(
        "Todas as transmissões que o servidor pode enviar ao mesmo tempo estão em uso.", _RETRY
    ),
    "not-ready": Text(
        "Um serviço em segundo plano do servidor falhou e será reiniciado; as transmissões continuam.",
        "Reinicie o servidor quando for conveniente; o log diz o que aconteceu.",
    ),
    "store-full": Text(
        "Não há espaço para gravar; o que foi gravado antes está intacto.",
        "Libere espaço no disco do banco de dados; as transmissões continuam.",
    ),
}
