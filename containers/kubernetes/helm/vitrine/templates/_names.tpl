{{- /* SPDX-License-Identifier: LGPL-2.1-or-later */ -}}
{{- define "vitrine.labels" -}}
app.kubernetes.io/name: vitrine
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "vitrine.turn.labels" -}}
app.kubernetes.io/name: vitrine-coturn
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "vitrine.passwords" -}}
{{ .Values.passwords.existingSecret | default (printf "%s-passwords" .Release.Name) }}
{{- end -}}
{{- define "vitrine.turn.secret" -}}
{{ .Values.turn.existingSecret | default (printf "%s-turn" .Release.Name) }}
{{- end -}}
