# Read by NGINX's configure when the Makefile stands: our sources are C++20, hidden and know their
# version. A flag in CFLAGS would reach NGINX's C sources too.

cc_build=$(sed -n 's/^project(cc VERSION \([0-9.]*\).*/\1/p' $ngx_addon_dir/CMakeLists.txt)

cat << END >> $NGX_MAKEFILE

objs/addon/ngx_module/%.o objs/addon/shared/%.o: CFLAGS += \\
	-std=c++20 -O2 -fvisibility=hidden -fvisibility-inlines-hidden -DCC_BUILD='"$cc_build"'

END
