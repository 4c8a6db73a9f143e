CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.contents (
    revision text NOT NULL,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    fingerprint text NOT NULL,
    digest text,
    state text DEFAULT 'new'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    reason text,
    facts text,
    duration double precision,
    width integer,
    height integer,
    artwork text DEFAULT 'waiting'::text NOT NULL,
    artwork_reason text,
    blurhash text,
    texts text DEFAULT 'waiting'::text NOT NULL,
    CONSTRAINT ck_contents_artwork CHECK ((artwork = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text, 'none'::text]))),
    CONSTRAINT ck_contents_state CHECK ((state = ANY (ARRAY['new'::text, 'probed'::text, 'unreadable'::text]))),
    CONSTRAINT ck_contents_texts CHECK ((texts = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text, 'none'::text])))
);

CREATE TABLE public.derived (
    number bigint NOT NULL,
    revision text,
    video bigint,
    kind text NOT NULL,
    digest text NOT NULL,
    suffix text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    about text DEFAULT '{}'::text NOT NULL,
    CONSTRAINT ck_derived_kind CHECK ((kind = ANY (ARRAY['poster'::text, 'sheet'::text, 'thumbnails'::text, 'subtitle'::text, 'subtitle-original'::text]))),
    CONSTRAINT ck_derived_source CHECK (((revision IS NOT NULL) OR (video IS NOT NULL)))
);

CREATE SEQUENCE public.derived_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.derived_number_seq OWNED BY public.derived.number;

CREATE TABLE public.library (
    key text NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.playheads (
    "user" text NOT NULL,
    video bigint NOT NULL,
    "position" double precision NOT NULL,
    duration double precision,
    watched boolean DEFAULT false NOT NULL,
    plays integer DEFAULT 0 NOT NULL,
    updated_at bigint NOT NULL
);

CREATE TABLE public.videos (
    number bigint NOT NULL,
    id text NOT NULL,
    path bytea,
    folder bytea NOT NULL,
    sort_key bytea NOT NULL,
    title text NOT NULL,
    own_title text,
    title_key bytea NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    tags text DEFAULT '[]'::text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    revision text NOT NULL,
    signature text NOT NULL,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    duration double precision,
    added_at bigint NOT NULL,
    missing_since bigint
);

CREATE SEQUENCE public.videos_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.videos_number_seq OWNED BY public.videos.number;

CREATE TABLE public.viewings (
    number bigint NOT NULL,
    "user" text NOT NULL,
    video bigint NOT NULL,
    started_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    first double precision NOT NULL,
    last double precision NOT NULL
);

CREATE SEQUENCE public.viewings_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.viewings_number_seq OWNED BY public.viewings.number;

ALTER TABLE ONLY public.derived ALTER COLUMN number SET DEFAULT nextval('public.derived_number_seq'::regclass);

ALTER TABLE ONLY public.videos ALTER COLUMN number SET DEFAULT nextval('public.videos_number_seq'::regclass);

ALTER TABLE ONLY public.viewings ALTER COLUMN number SET DEFAULT nextval('public.viewings_number_seq'::regclass);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.contents
    ADD CONSTRAINT pk_contents PRIMARY KEY (revision);

ALTER TABLE ONLY public.derived
    ADD CONSTRAINT pk_derived PRIMARY KEY (number);

ALTER TABLE ONLY public.library
    ADD CONSTRAINT pk_library PRIMARY KEY (key);

ALTER TABLE ONLY public.playheads
    ADD CONSTRAINT pk_playheads PRIMARY KEY ("user", video);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT pk_videos PRIMARY KEY (number);

ALTER TABLE ONLY public.viewings
    ADD CONSTRAINT pk_viewings PRIMARY KEY (number);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT uq_videos_id UNIQUE (id);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT uq_videos_path UNIQUE (path);

CREATE INDEX ix_contents_fingerprint ON public.contents USING btree (fingerprint);

CREATE INDEX ix_contents_to_draw ON public.contents USING btree (revision) WHERE (artwork = 'waiting'::text);

CREATE INDEX ix_contents_to_extract ON public.contents USING btree (revision) WHERE (texts = 'waiting'::text);

CREATE INDEX ix_contents_to_probe ON public.contents USING btree (revision) WHERE (state = 'new'::text);

CREATE INDEX ix_derived_digest ON public.derived USING btree (digest);

CREATE INDEX ix_derived_of_content ON public.derived USING btree (revision, kind, "position");

CREATE INDEX ix_derived_of_video ON public.derived USING btree (video, kind, "position");

CREATE INDEX ix_playheads_recent ON public.playheads USING btree ("user", updated_at);

CREATE INDEX ix_playheads_video ON public.playheads USING btree (video);

CREATE INDEX ix_videos_by_added ON public.videos USING btree (added_at, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_by_duration ON public.videos USING btree (duration, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_by_folder ON public.videos USING btree (folder, sort_key, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_by_modified ON public.videos USING btree (mtime_ns, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_by_name ON public.videos USING btree (sort_key, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_by_size ON public.videos USING btree (size, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_by_title ON public.videos USING btree (title_key, number) WHERE (missing_since IS NULL);

CREATE INDEX ix_videos_missing ON public.videos USING btree (missing_since, number) WHERE (missing_since IS NOT NULL);

CREATE INDEX ix_videos_revision ON public.videos USING btree (revision);

CREATE INDEX ix_viewings_recent ON public.viewings USING btree ("user", updated_at, number);

CREATE INDEX ix_viewings_video ON public.viewings USING btree (video);

CREATE INDEX videos_search ON public.videos USING gin (array_to_tsvector(array_remove(string_to_array(words, ' '::text), ''::text)));

ALTER TABLE ONLY public.derived
    ADD CONSTRAINT fk_derived_revision_contents FOREIGN KEY (revision) REFERENCES public.contents(revision) ON DELETE CASCADE;

ALTER TABLE ONLY public.derived
    ADD CONSTRAINT fk_derived_video_videos FOREIGN KEY (video) REFERENCES public.videos(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.playheads
    ADD CONSTRAINT fk_playheads_video_videos FOREIGN KEY (video) REFERENCES public.videos(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT fk_videos_revision_contents FOREIGN KEY (revision) REFERENCES public.contents(revision);

ALTER TABLE ONLY public.viewings
    ADD CONSTRAINT fk_viewings_video_videos FOREIGN KEY (video) REFERENCES public.videos(number) ON DELETE CASCADE;

INSERT INTO alembic_version VALUES ('0001');
