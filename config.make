# Read by NGINX's configure when the Makefile stands: our sources are C++20, and hidden. A flag in
# CFLAGS would reach NGINX's C sources too.

cat << END >> $NGX_MAKEFILE

objs/addon/ngx_module/%.o objs/addon/shared/%.o: CFLAGS += \\
	-std=c++20 -fvisibility=hidden -fvisibility-inlines-hidden -Wno-unused-parameter

END
